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
/** In this order: a module uses what those before it offer, and nothing of those behind it. */
const modules = [
  'reference',
  'sessions',
  'organisations',
  'accounts',
  'campaigns',
  'lifecycle',
  'zones',
  'events',
  'grants',
  'cases',
  'transitions',
  'proposals',
  'referrals',
  'relations',
  'decisions',
  'documents',
  'notes',
  'tasks',
  'flags',
  'jobs',
  'imports',
  'reports',
  'erasures',
  'retention',
  'audit',
]
for (const name of modules) below[name] = [...ground, 'access', 'db', 'http']

/** What a module offers, and to whom; nothing else of it is anybody's. */
const offered: Record<string, string[]> = {
  'reference/queries.ts': ['cases', 'transitions', 'imports', 'zones', 'flags', 'grants', 'referrals', 'erasures'],
  'reference/data.ts': ['database.ts'],
  'organisations/contract.ts': [
    'events',
    'grants',
    'cases',
    'proposals',
    'referrals',
    'decisions',
    'documents',
    'notes',
    'audit',
    'erasures',
    'retention',
  ],
  'organisations/queries.ts': [
    'events',
    'grants',
    'proposals',
    'referrals',
    'decisions',
    'documents',
    'notes',
    'imports',
    'retention',
  ],
  'sessions/password.ts': ['demonstration.ts'],
  'sessions/queries.ts': ['organisations', 'accounts', 'admin.ts'],
  'lifecycle/contract.ts': ['events', 'cases', 'transitions', 'proposals', 'referrals'],
  'lifecycle/policy.ts': ['referrals'],
  'lifecycle/steps.ts': ['database.ts'],
  'lifecycle/standing.ts': ['cases', 'transitions'],
  'zones/contract.ts': ['grants', 'cases', 'transitions', 'referrals', 'imports', 'audit', 'erasures'],
  'zones/birth.ts': ['grants'],
  'zones/codes.ts': ['cases'],
  'zones/identifiers.ts': ['cases', 'transitions', 'imports'],
  'zones/queries.ts': ['cases', 'decisions', 'documents', 'imports', 'grants'],
  'events/contract.ts': ['transitions'],
  'events/append.ts': ['cases', 'transitions', 'proposals', 'grants'],
  'events/queries.ts': ['transitions'],
  'events/text.ts': ['cases', 'transitions', 'proposals', 'referrals', 'decisions', 'documents', 'imports'],
  'cases/contract.ts': ['transitions', 'reports', 'referrals'],
  'cases/queries.ts': ['transitions', 'proposals', 'notes', 'tasks', 'flags', 'referrals'],
  'cases/register.ts': ['imports'],
  'grants/contract.ts': ['cases', 'transitions', 'referrals'],
  'grants/basis.ts': ['cases', 'transitions', 'referrals'],
  'grants/give.ts': ['cases', 'referrals'],
  'transitions/contract.ts': ['proposals'],
  'transitions/queries.ts': ['proposals', 'referrals'],
  'referrals/policy.ts': ['database.ts'],
  'referrals/expire.ts': ['app.ts'],
  'erasures/erase.ts': ['app.ts'],
  'erasures/ledger.ts': ['app.ts', 'start.ts', 'openapi.ts', 'admin.ts', 'admin'],
  'transitions/routes.ts': ['proposals'],
  'jobs/contract.ts': ['imports'],
  'jobs/queries.ts': ['imports'],
  'imports/row.ts': ['demo'],
  'imports/worker.ts': ['app.ts'],
  'audit/holds.ts': ['admin.ts'],
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
      const taken = offered[target.slice('src/'.length)]?.includes(from)
      t.ok(top || taken, `${file} may import ${target}`)
    }
})

t.test('what is offered is taken, and only by those who come later', async t => {
  for (const [target, takers] of Object.entries(offered))
    for (const taker of takers) {
      const files = sources.filter(file => floorOf(file) === taker)
      const takes = (file: string) =>
        importsOf(file).some(path => normalize(`${dirname(file)}/${path}`) === `src/${target}`)
      t.ok(files.some(takes), `${taker} takes ${target}`)
      if (modules.includes(taker))
        t.ok(modules.indexOf(taker) > modules.indexOf(target.split('/')[0] ?? ''), `${taker} comes after ${target}`)
    }
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
