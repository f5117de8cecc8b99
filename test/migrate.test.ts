import t from 'tap'
import { checkSchema, type Migration, migrate, pending, readMigrations } from '../src/db/migrate.ts'
import { startDatabase } from './support/service.ts'

const made = (name: string, text: string): Migration => ({ name, text, hash: text })
const one = made('0001_one.sql', 'create table one (id int)')
const two = made('0002_two.sql', 'create table two (id int)')

t.test('what is not as this release knows it is refused by name', async t => {
  t.same(pending([one, two], [one]), [two])
  t.throws(() => pending([one], [one, two]), {
    name: 'StartError',
    message: 'The database has migration 0002_two.sql, which this release does not know',
  })
  t.throws(() => pending([one, two], [{ ...one, hash: 'x' }]), {
    name: 'StartError',
    message: 'Migration 0001_one.sql was edited after it had been applied',
  })
  t.throws(() => pending([one, two], [two]), {
    name: 'StartError',
    message: 'Migration 0001_one.sql is missing in the database, which has later ones',
  })
})

t.test('migrations run in order, each whole or not at all', async t => {
  const { endpoint, owner } = await startDatabase(t, { template: 'template0' })
  const broken = made('0003_broken.sql', 'create table three (id int); select 1 / 0')
  await t.rejects(migrate(endpoint('owner'), [one, two, broken]), { code: '22012' })
  t.same([...(await owner`select name from app.migrations order by 1`)], [{ name: one.name }, { name: two.name }])
  t.same([...(await owner`select to_regclass('three') as three`)], [{ three: null }])
})

t.test('two starters at once migrate once', async t => {
  const { endpoint } = await startDatabase(t, { template: 'template0' })
  const slow = made('0001_slow.sql', 'select pg_sleep(0.2); create table slow (id int)')
  const both = await Promise.all([migrate(endpoint('owner'), [slow, two]), migrate(endpoint('owner'), [slow, two])])
  t.same(both.map(names => names.length).sort(), [0, 2])
})

t.test('a migrator that dies half-way leaves the database as it was', async t => {
  const { endpoint, owner, superuser } = await startDatabase(t, { template: 'template0' })
  const dying = made('0001_dying.sql', `create table dying (id int); select pg_sleep(60)`)
  const migrating = migrate(endpoint('owner'), [dying])
  migrating.catch(() => {})
  const sleeper = () =>
    superuser`select pid from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`
  while (!(await sleeper()).length) await new Promise(setImmediate)
  await superuser`select pg_terminate_backend(${(await sleeper())[0]?.pid})`
  await t.rejects(migrating)
  t.same([...(await owner`select to_regclass('dying') as dying`)], [{ dying: null }])
  t.same(await migrate(endpoint('owner'), [one]), [one.name], 'and the lock is free')
})

t.test('a database that holds cases in clear is refused in one line, and left as it was', async t => {
  const { endpoint, superuser } = await startDatabase(t, { template: 'template0' })
  const all = readMigrations()
  const sealing = all.findIndex(({ name }) => name === '0025_sealing.sql')
  await migrate(endpoint('owner'), all.slice(0, sealing))
  await superuser.unsafe(`set session_replication_role = replica;
    insert into cases (id, number, category, causes, region_code, owner_id, state, registered_on, updated_at)
      values (uuidv7(), 'KZ-2026-0000001-1', 'x', '{}', 'KZ-75', uuidv7(), 'registered', '2026-01-01', now())`)
  await t.rejects(migrate(endpoint('owner')), {
    name: 'StartError',
    message: /^Migration 0025_sealing.sql: There are cases in this database from before anything was sealed/,
  })
  t.equal((await superuser`select from cases`).length, 1)
})

t.test('the service refuses a schema or a role that it does not know', async t => {
  const { endpoint, owner } = await startDatabase(t)
  await t.resolves(checkSchema(endpoint('app')))
  await t.rejects(checkSchema(endpoint('postgres')), { message: /row level security does not hold/ })
  await t.rejects(checkSchema(endpoint('app'), [...readMigrations(), made('9999_later.sql', '')]), {
    message: 'Migration 9999_later.sql is not applied yet: npm run admin -- migrate',
  })
  await owner`insert into app.migrations (name, hash) values ('9998_of_tomorrow.sql', 'x')`
  await t.rejects(checkSchema(endpoint('app')), { message: /0*9998_of_tomorrow.sql, which this release does not know/ })
})
