import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  type Applied,
  checkSchema,
  migrate,
  pending,
  type Release,
  readRelease,
  type SqlFile,
} from '../../../src/platform/db/migrate.ts'
import { catalogueOf } from '../../support/catalogue.ts'
import { idempotencyKey, registration, startDatabase, startService } from '../../support/service.ts'

const file = (name: string, text: string): SqlFile => ({ name, text })
const release = readRelease()
const { ground } = release
const one = file('tables/0001_one.sql', 'create table one (id int)')
const two = file('tables/0002_two.sql', 'create table two (id int)')
const made = (tables: SqlFile[], code: SqlFile[] = []): Release => ({ ground, tables, code })
/** Returns this release with a text appended to one file of its code. */
const withCode = (text: string): Release => ({
  ...release,
  code: release.code.map((code, i) => (i ? code : { ...code, text: `${code.text}\n${text}` })),
})

const empty = { template: 'template0' }
type Test = Parameters<typeof startDatabase>[0]
/** Applies a release to an empty database and returns what app.migrations records. */
async function appliedOf(t: Test, of: Release): Promise<Applied> {
  const { endpoint, owner } = await startDatabase(t, empty)
  await migrate(endpoint('owner'), of)
  return [...(await owner`select name, hash from app.migrations`)] as unknown as Applied
}

t.test('a database that does not fit this release is refused, with the name of the file', async t => {
  const both = await appliedOf(t, made([one, two]))
  const code = both.filter(({ name }) => name === 'code')
  t.same(pending(made([one, two]), both), { tables: [], code: false })
  t.same(pending(made([one, two]), []), { tables: [one, two], code: true })
  t.throws(() => pending(made([one]), both), {
    name: 'StartError',
    message:
      'The database has tables/0002_two.sql, which this release does not have: use the release that created it, or a new database',
  })
  t.throws(() => pending(made([{ ...one, text: '' }, two]), both), {
    name: 'StartError',
    message: 'tables/0001_one.sql was edited after it had been applied',
  })
  t.throws(() => pending(made([one, two]), [...both.filter(({ name }) => name === two.name), ...code]), {
    name: 'StartError',
    message: 'The database lacks tables/0001_one.sql, but has later files',
  })
})

t.test('a database from before the schema was squashed is refused in one line and not changed', async t => {
  const { endpoint, owner } = await startDatabase(t, empty)
  await owner.unsafe(`create schema app;
    create table app.migrations (name text collate "C" primary key, hash text not null, applied_at timestamptz);
    insert into app.migrations values ('0001_access.sql', 'x'), ('0026_erasure.sql', 'y')`)
  await t.rejects(migrate(endpoint('owner')), {
    name: 'StartError',
    message: /^The database has 0001_access.sql, which this release does not have: use .*$/,
  })
  t.equal((await owner`select from app.migrations`).length, 2)
})

t.test('a release is applied completely or not at all, and the error names the failing file', async t => {
  const { endpoint, owner } = await startDatabase(t, empty)
  const broken = file('code/10_broken.sql', 'create view three as select 3 as id; select 1 / 0')
  await t.rejects(migrate(endpoint('owner'), made([one, two], [broken])), {
    name: 'StartError',
    message: 'migrations/code/10_broken.sql: division by zero',
  })
  t.same([...(await owner`select name from app.migrations`)], [])
  t.same(
    [...(await owner`select to_regclass('one') as one, to_regclass('three') as three`)],
    [{ one: null, three: null }],
  )
})

t.test('two migrations at the same time apply a release once', async t => {
  const { endpoint } = await startDatabase(t, empty)
  const slow = file('tables/0001_slow.sql', 'select pg_sleep(0.2); create table slow (id int)')
  const both = await Promise.all([1, 2].map(() => migrate(endpoint('owner'), made([slow, two]))))
  t.same(both.map(names => names.length).sort(), [0, 3])
})

t.test('kill -9 of a migrating process leaves the database as it was before', async t => {
  const { endpoint, owner, superuser } = await startDatabase(t, empty)
  await migrate(endpoint('owner'))
  const before = await catalogueOf(superuser)
  const module = fileURLToPath(new URL('../../../src/platform/db/migrate.ts', import.meta.url))
  const program = `
    const { migrate, readRelease } = await import(${JSON.stringify(module)})
    const release = readRelease()
    const code = release.code.map((file, i, all) =>
      i === all.length - 1 ? { ...file, text: 'select pg_sleep(60); ' + file.text } : file)
    await migrate(${JSON.stringify(endpoint('owner'))}, { ...release, code })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
  const sleeper = () =>
    superuser`select pid from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`
  while (!(await sleeper()).length) await new Promise(resolve => setTimeout(resolve, 20))
  child.kill('SIGKILL')
  await once(child, 'close')
  await superuser`select pg_terminate_backend(${(await sleeper())[0]?.pid}, 5000)`
  t.same(await catalogueOf(superuser), before)
  t.same(await migrate(endpoint('owner')), [], 'there is nothing to apply, and the lock is free')
  t.ok((await owner`select from app.migrations where name = 'code'`).length)
})

t.test('a second definition of a name fails the migration', async t => {
  const { endpoint } = await startDatabase(t, empty)
  const again = file('code/99_again.sql', 'create function app.today() returns date language sql return current_date')
  await t.rejects(migrate(endpoint('owner'), { ...release, code: [...release.code, again] }), {
    message: 'migrations/code/99_again.sql: function "today" already exists with same argument types',
  })
})

t.test('a security definer function without its own search path fails the migration', async t => {
  const { endpoint } = await startDatabase(t, empty)
  const open = file(
    'code/99_open.sql',
    'create function app.open() returns int language sql security definer as $$ select 1 $$',
  )
  await t.rejects(migrate(endpoint('owner'), { ...release, code: [...release.code, open] }), {
    message: 'migrations/ground.sql: app.open() has no search path of its own',
  })
})

t.test('a table that depends on code makes the next change of the code fail, without loss of data', async t => {
  const { endpoint, owner } = await startDatabase(t, empty)
  await migrate(endpoint('owner'))
  await owner`create table resting (day date default app.today())`
  await t.rejects(migrate(endpoint('owner'), withCode('-- another text')), {
    message: 'migrations/ground.sql: A table rests on app.today(), which belongs into ground.sql',
  })
  t.equal((await owner`insert into resting default values returning day`).length, 1)
})

t.test('a database migrated release by release equals one migrated at once', async t => {
  const { endpoint, superuser } = await startDatabase(t, empty)
  // Without code: a file of tables that calls code fails here.
  for (const [i] of release.tables.entries())
    await migrate(endpoint('owner'), { ...release, tables: release.tables.slice(0, i + 1), code: [] })
  await migrate(endpoint('owner'), withCode('create view of_another_release as select 1 as id'))
  await migrate(endpoint('owner'))
  const atOnce = await startDatabase(t, empty)
  await migrate(atOnce.endpoint('owner'))
  t.same(await catalogueOf(superuser), await catalogueOf(atOnce.superuser))
})

t.test(
  'code is recreated under a running service, which keeps working, and can go back to an older release',
  async t => {
    const service = await startService(t)
    const ngo = await service.as('caseworker', 'sunrise')
    const before = await catalogueOf(service.superuser)
    const work = async () => {
      const { statusCode, headers } = await ngo.post('/v1/cases', registration(), idempotencyKey())
      if (statusCode !== 201) return statusCode
      const read = await ngo.get(`${headers.location}`)
      const listed = await ngo.get('/v1/cases?limit=10&state=registered')
      return Math.max(read.statusCode, listed.statusCode)
    }
    t.equal(await work(), 200)
    const newer = withCode('create view of_a_newer_release as select 1 as id')
    let migrating = true
    const statuses: number[] = []
    const working = Promise.all(
      [1, 2, 3].map(async () => {
        while (migrating) statuses.push(await work())
      }),
    )
    t.same(await migrate(service.endpoint('owner'), newer), ['code'])
    migrating = false
    await working
    t.same(
      [...new Set(statuses)].filter(status => status !== 200 && status !== 503),
      [],
      'every request succeeds or gets 503',
    )
    for (let i = 0; i < 4; i++) t.equal(await work(), 200, 'on every connection')
    t.same(await migrate(service.endpoint('owner')), ['code'], 'the older code is restored')
    t.equal(await work(), 200)
    t.same(await catalogueOf(service.superuser), before)
  },
)

t.test('the service refuses a schema or role that differs from its release', async t => {
  const { endpoint, owner } = await startDatabase(t)
  await t.resolves(checkSchema(endpoint('app')))
  await t.rejects(checkSchema(endpoint('postgres')), { message: /bypasses row level security/ })
  await t.rejects(
    checkSchema(endpoint('app'), { ...release, tables: [...release.tables, file('tables/9999_later.sql', '')] }),
    {
      message: 'tables/9999_later.sql is not applied yet: npm run admin -- migrate',
    },
  )
  await t.rejects(checkSchema(endpoint('app'), withCode('-- another text')), {
    message: 'The SQL code of the database differs from this release: npm run admin -- migrate',
  })
  await owner`insert into app.migrations (name, hash) values ('tables/9998_of_tomorrow.sql', 'x')`
  await t.rejects(checkSchema(endpoint('app')), {
    message: /tables.9998_of_tomorrow.sql, which this release does not have/,
  })
})
