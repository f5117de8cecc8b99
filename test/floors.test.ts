// Who may import whom. A folder's floor may use the floors that it names, and itself.
import { globSync, readFileSync } from 'node:fs'
import { dirname, normalize } from 'node:path'
import t from 'tap'

const ground = ['problem.ts', 'config.ts']
const below: Record<string, string[]> = {
  'problem.ts': [],
  'config.ts': [],
  access: ground,
  db: [...ground, 'access'],
  http: [...ground, 'access', 'db'],
  embedded: ['config.ts', 'db'],
  demo: [],
}
const modules = [
  'accounts',
  'campaigns',
  'cases',
  'imports',
  'organisations',
  'reference',
  'reports',
  'sessions',
  'zones',
]
for (const name of modules) below[name] = [...ground, 'access', 'db', 'http']

/** What a module offers to others, and to whom; nothing else of it is anybody's. */
const offered: Record<string, string[]> = {
  'src/sessions/password.ts': ['src/demonstration.ts'],
  'src/sessions/queries.ts': ['src/accounts/routes.ts', 'src/organisations/routes.ts', 'src/admin.ts'],
  'src/reference/queries.ts': ['src/cases/queries.ts', 'src/imports/batch.ts'],
  'src/reference/data.ts': ['src/database.ts'],
  'src/organisations/queries.ts': ['src/imports/batch.ts'],
  'src/zones/contract.ts': ['src/cases/contract.ts', 'src/cases/queries.ts', 'src/imports/row.ts'],
  'src/zones/queries.ts': ['src/cases/queries.ts', 'src/imports/batch.ts'],
  'src/cases/events.ts': ['src/imports/batch.ts'],
  'src/cases/queries.ts': ['src/imports/batch.ts'],
  'src/cases/policy.ts': ['src/database.ts'],
  'src/imports/row.ts': ['src/demo/campaign.ts', 'src/demo/file.ts'],
  'src/imports/worker.ts': ['src/app.ts'],
}

const floorOf = (path: string) => path.split('/')[1] ?? ''
const sources = globSync('src/**/*.ts')
const importsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)].map(([, path = '']) => path)

t.test('every file imports from the floors below it, and of another module only what that offers', async t => {
  for (const file of sources)
    for (const path of importsOf(file).filter(path => path.startsWith('.'))) {
      const target = normalize(`${dirname(file)}/${path}`)
      const [from, to] = [floorOf(file), floorOf(target)]
      if (from === to || below[from]?.includes(to)) continue
      const top = !(from in below) && (!modules.includes(to) || target.endsWith('/routes.ts'))
      t.ok(top || offered[target]?.includes(file), `${file} may import ${target}`)
    }
})

t.test('what is offered is taken', async t => {
  for (const [target, takers] of Object.entries(offered))
    for (const taker of takers)
      t.ok(
        importsOf(taker).some(path => normalize(`${dirname(taker)}/${path}`) === target),
        `${taker} takes ${target}`,
      )
})

t.test('only db imports postgres, and only http and routes know Fastify', async t => {
  for (const file of sources)
    for (const path of importsOf(file)) {
      if (path === 'postgres') t.ok(file.startsWith('src/db/'), `${file} imports postgres`)
      if (/^@?fastify/.test(path))
        t.ok(
          file.startsWith('src/http/') || ['routes.ts', 'app.ts', 'sign-in.ts'].some(name => file.endsWith(`/${name}`)),
          `${file} imports ${path}`,
        )
    }
})

t.test('no file is longer than a person reads at once', async t => {
  const longer: Record<string, string> = {}
  for (const file of globSync('{src,test,bench}/**/*.ts'))
    t.ok(file in longer || readFileSync(file, 'utf8').split('\n').length <= 250, `${file} has at most 250 lines`)
})
