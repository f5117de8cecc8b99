// The allowed directions of imports. The groups of src are storeys: each imports from those below it only.
import { globSync, readFileSync } from 'node:fs'
import { dirname, normalize } from 'node:path'
import t from 'tap'

/** What each storey may import, besides itself. */
const below: Record<string, readonly string[]> = {
  'problems-of-http': [],
  problems: ['problems-of-http'],
  problem: ['problems'],
  config: [],
  platform: ['problem', 'config'],
  people: ['platform'],
  rules: ['platform'],
  casefile: ['people', 'rules'],
  procedure: ['casefile'],
  work: ['casefile'],
  campaigns: ['casefile'],
  exchange: ['casefile'],
  oversight: ['casefile'],
  app: ['procedure', 'work', 'campaigns', 'exchange', 'oversight', 'api-info'],
  'api-info': [],
  programs: ['app'],
}

/** The same within the platform. */
const platform: Record<string, readonly string[]> = {
  access: [],
  db: ['access'],
  http: ['db', 'access'],
  embedded: ['db'],
}

/** Imports in another direction, each with its reason. */
const exceptions: Record<string, string> = {}

const reach = (from: string, seen = new Set<string>()): Set<string> => {
  for (const to of below[from] ?? []) if (!seen.has(to)) reach(to, seen.add(to))
  return seen
}
const storeyOf = (path: string) => path.split('/')[1]?.replace(/\.ts$/, '') ?? ''
const sources = globSync('src/**/*.ts')
const importsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import) '([^']+)'/g)].map(([, path = '']) => path)
const arrows = sources.flatMap(file =>
  importsOf(file)
    .filter(path => path.startsWith('.'))
    .map(path => ({ file, target: normalize(`${dirname(file)}/${path}`) })),
)

t.test('every import goes down', async t => {
  for (const { file, target } of arrows) {
    const [from, to] = [storeyOf(file), storeyOf(target)]
    t.ok(from in below, `${file} is in a storey`)
    if (from !== to && !reach(from).has(to)) t.ok(`${file} ${target}` in exceptions, `${file} may import ${target}`)
    if (from === 'platform' && to === 'platform') {
      const [inner, deeper] = [file.split('/')[2] ?? '', target.split('/')[2] ?? '']
      t.ok(inner === deeper || platform[inner]?.includes(deeper), `${file} may import ${target}`)
    }
  }
  for (const exception of Object.keys(exceptions))
    t.ok(
      arrows.some(({ file, target }) => `${file} ${target}` === exception),
      `the exception ${exception} is needed`,
    )
})

t.test('only app.ts imports routes', async t => {
  for (const { file, target } of arrows)
    if (target.endsWith('/routes.ts')) t.equal(file, 'src/app.ts', `${file} imports ${target}`)
})

t.test('only db imports postgres, and only http and routes import Fastify', async t => {
  for (const file of sources)
    for (const path of importsOf(file)) {
      if (path === 'postgres') t.ok(file.startsWith('src/platform/db/'), `${file} imports postgres`)
      if (/^@?fastify/.test(path))
        t.ok(
          file.startsWith('src/platform/http/') ||
            ['routes.ts', 'app.ts', 'sign-in.ts'].some(name => file.endsWith(`/${name}`)),
          `${file} imports ${path}`,
        )
    }
})

t.test('no file is longer than 250 lines', async t => {
  for (const file of globSync('{src,test,bench}/**/*.ts'))
    t.ok(readFileSync(file, 'utf8').split('\n').length <= 250, `${file} has at most 250 lines`)
})
