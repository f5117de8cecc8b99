// The documents are correct: their shell blocks run, and the paths, links, operations, commands and variables in them exist.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import {
  anchorsOf,
  blocksOf,
  documents,
  generic,
  linksOf,
  operationsIn,
  pathsIn,
  statementsOf,
  textOf,
} from './docs/documents.ts'
import { faultsOf, run } from './docs/shell.ts'
import { folder, freePort, start } from './programs/start/program.ts'

/** Shell blocks that no test runs, by document and first line, each with its reason. */
const notRun: Record<string, string> = {
  'README.md: npm ci': 'would replace node_modules under the running tests, and does not end',
  'README.md: npm test': 'would run this test again',
  'docs/contributing.md: npm ci': 'would replace node_modules under the running tests',
  'docs/contributing.md: npx tap test/casefile/wall/policies.test.ts': 'would start the tests in the tests',
  'docs/contributing.md: npm run test:mutants -- --only case_access': 'takes minutes',
  'docs/figures.md: npm run demo': 'does not end; test/programs/demo/campaign.test.ts runs it',
  'docs/operating.md: psql -d postgres -f migrations/roles.sql': 'needs a separate PostgreSQL and psql',
  'docs/operating.md: npm ci --omit=dev': 'needs another checkout, and the registry',
  'docs/operating.md: systemctl daemon-reload': 'needs systemd and root',
  'docs/operating.md: systemctl stop qujat': 'needs systemd and root',
  "docs/sealing.md: export KEY_WRAP='vault write -field=ciphertext transit/encrypt/qujat plaintext=-'": 'needs a KMS',
}
/** Languages of blocks that are not shell. */
const others = ['text', 'mermaid', 'ini', 'csv']

const blocks = documents.flatMap(blocksOf)

t.test('README.md is short: at most 9,000 bytes', async t => {
  t.ok(Buffer.byteLength(textOf('README.md')) <= 9_000, `${Buffer.byteLength(textOf('README.md'))} bytes`)
})

t.test('every block is run, is listed with the reason why not, or is not shell', async t => {
  for (const { document, line, info } of blocks)
    t.ok(['sh', 'sh not-run', ...others].includes(info), `${document}:${line} is ${info}`)
  const skipped = blocks.filter(({ info }) => info === 'sh not-run')
  t.same(
    skipped.map(({ document, text }) => `${document}: ${text.split(/ *#|\n/)[0]}`).sort(),
    Object.keys(notRun).sort(),
    'the listed blocks exist',
  )
  for (const block of skipped) t.ok(statementsOf(block).length, `${block.document}:${block.line} is whole commands`)
})

t.test('every path that a document names exists', async t => {
  for (const document of documents)
    for (const path of pathsIn(textOf(document))) t.ok(existsSync(path), `${document} names ${path}`)
})

t.test('every link leads to a file, and to a heading of it', async t => {
  for (const document of documents)
    for (const { target, file, heading } of linksOf(document)) {
      const path = file ? join(dirname(document), file) : document
      if (!t.ok(existsSync(path), `${document} links to ${target}`) || heading === undefined) continue
      t.ok(anchorsOf(path).includes(heading), `${document} links to the heading ${target}`)
    }
})

t.test('README.md names the right file for each change', async t => {
  const [, table = ''] = /^## Where do I change X\?$([\s\S]*?)^## /m.exec(textOf('README.md')) ?? []
  const rows = [...table.matchAll(/^\| (.+?) \| (`.+) \|$/gm)]
  t.ok(rows.length >= 20, `${rows.length} rows`)
  for (const [row, what] of rows) {
    const named = [...row.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
    const files = named.filter(name => name.includes('/'))
    t.ok(files.length && files.length <= 2, `${what}: one or two files`)
    const text = files.map(file => readFileSync(file, 'utf8')).join('\n')
    for (const name of named.filter(name => !name.includes('/'))) t.ok(text.includes(name), `${what}: ${name} is there`)
  }
})

t.test('every command exists, and every variable is described', async t => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  const admin = readFileSync('src/programs/admin.ts', 'utf8')
  const commands = [...(/const commands[\s\S]*?\n}/.exec(admin)?.[0] ?? '').matchAll(/^ {2}'?([a-z-]+)'?: \[/gm)]
  const names = commands.map(([, name = '']) => name)
  t.ok(names.length > 5)
  const operating = textOf('docs/operating.md')
  for (const document of documents) {
    for (const [, name = ''] of textOf(document).matchAll(/npm run ([\w:]+)/g))
      t.ok(name in scripts, `${document} names npm run ${name}`)
    for (const [, name = ''] of textOf(document).matchAll(/npm run admin -- ([\w-]+)/g))
      t.ok(names.includes(name), `${document} names npm run admin -- ${name}`)
  }
  for (const name of names) t.match(operating, `npm run admin -- ${name}`, `docs/operating.md names ${name}`)
  const variables = [...readFileSync('src/config.ts', 'utf8').matchAll(/^ {2}([A-Z_]+): \[/gm)].map(([, name]) => name)
  const described = [...operating.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name)
  t.same(described.sort(), variables.sort(), 'docs/operating.md has a row for each variable')
})

t.test('a status given in a block is compared; without one, it must be below 400', async t => {
  const of = (announced?: number) => [{ at: 'a', text: 'get', announced }]
  t.same(faultsOf(of(404), new Map([['a', [200, 404]]])), [])
  t.same(faultsOf(of(404), new Map([['a', [404, 200]]])), ['a get is answered 200, not 404', 'a get is answered 404'])
  t.same(faultsOf(of(404), new Map()), ['a get is answered by nothing, not 404'])
  t.same(faultsOf(of(), new Map([['a', [200, 500]]])), ['a get is answered 500'])
})

t.test('the shell blocks of the documents work', async t => {
  const [home, mnt, scratch] = [folder(), folder(), folder()]
  mkdirSync(join(mnt, 'backup'))
  const dataDir = join(home, 'data')
  const metricsPort = await freePort()
  const { address, child, ended } = await start(dataDir, { environment: { METRICS_PORT: metricsPort } })
  const metrics = `http://127.0.0.1:${metricsPort}`

  t.test('every operation that a document names exists', async t => {
    const { paths } = (await (await fetch(`${address}/openapi.json`)).json()) as { paths: Record<string, object> }
    const served = new Map(Object.entries(paths).map(([path, methods]) => [generic(path), Object.keys(methods)]))
    for (const document of documents)
      for (const { method, path } of operationsIn(textOf(document))) {
        const methods = served.get(path)
        t.ok(methods && (!method || methods.includes(method)), `${document} names ${method ?? ''} ${path}`)
      }
  })

  for (const document of documents) {
    const shell = blocks.filter(block => block.document === document && block.info === 'sh')
    if (!shell.length) continue
    t.test(document, async t => t.same(await run(shell, { api: address, metrics, dataDir, mnt, scratch }), []))
  }

  t.test('the service stops with exit code 0', async t => {
    child.kill('SIGTERM')
    t.match(await ended, { code: 0, err: '' })
  })
})
