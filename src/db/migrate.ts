import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { StartError } from '../config.ts'
import { Connection, type Endpoint, type Send } from './connection.ts'

export type Migration = { name: string; hash: string; text: string }

/** One at a time for the whole database, whoever starts it. */
const lock = 7281_0001

const folder = new URL('../../migrations/', import.meta.url)

/** The migrations of this release, in the order of their names. */
export const readMigrations = (from = folder): Migration[] =>
  readdirSync(from)
    .filter(name => name.endsWith('.sql'))
    .sort()
    .map(name => {
      const text = readFileSync(new URL(name, from), 'utf8')
      return { name, text, hash: createHash('sha256').update(text).digest('hex') }
    })

/**
 * What is still to be applied. Throws a {@link StartError} that names the migration when the database holds one that
 * this release does not know, one with another text, or misses one before the last that it has.
 */
export function pending(
  migrations: readonly Migration[],
  applied: readonly Pick<Migration, 'name' | 'hash'>[],
): Migration[] {
  const known = new Map(migrations.map(migration => [migration.name, migration]))
  const last = applied.at(-1)?.name ?? ''
  const names = new Set(applied.map(({ name }) => name))
  for (const { name, hash } of applied) {
    if (!known.has(name)) throw new StartError(`The database has migration ${name}, which this release does not know`)
    if (known.get(name)?.hash !== hash) throw new StartError(`Migration ${name} was edited after it had been applied`)
  }
  const missing = migrations.filter(({ name }) => !names.has(name))
  for (const { name } of missing)
    if (name < last) throw new StartError(`Migration ${name} is missing in the database, which has later ones`)
  return missing
}

/** Brings the database to this release as its owner, each migration in a transaction of its own. Gives their names. */
export const migrate = (endpoint: Endpoint, migrations = readMigrations()): Promise<string[]> =>
  Connection.with(endpoint, async connection => {
    const { send } = connection
    await send('select pg_advisory_lock($1)', [lock])
    await send('create schema if not exists app')
    await send(`create table if not exists app.migrations (
      name text collate "C" primary key, hash text not null, applied_at timestamptz not null default now())`)
    const todo = pending(migrations, await applied(send))
    for (const { name, hash, text } of todo)
      await connection
        .atOnce(async () => {
          await connection.script(text)
          await send('insert into app.migrations (name, hash) values ($1, $2)', [name, hash])
        })
        .catch(asRefusal(name))
    const names = todo.map(({ name }) => name)
    if (names.length) await send(`select app.tell('admin.migrate', $1)`, [{ migrations: names }]).catch(unlessUnheard)
    return names
  })

/** A migration may refuse a database that it cannot bring further, and says why. */
const asRefusal = (name: string) => (error: { code?: string; message: string }) => {
  throw error.code === 'P0001' ? new StartError(`Migration ${name}: ${error.message}`) : error
}

/** Before there is an audit log nobody can be told. */
const unlessUnheard = (error: { code?: string }) => {
  if (error.code !== '42883') throw error
}

const applied = async (send: Send) =>
  (await send('select name, hash from app.migrations order by name')) as unknown as Applied[]
type Applied = Pick<Migration, 'name' | 'hash'>

/** Refuses a database whose schema or role is not what this release was written for. */
export const checkSchema = (endpoint: Endpoint, migrations = readMigrations()): Promise<void> =>
  Connection.with(endpoint, async ({ send }) => {
    const [server] =
      await send(`select current_setting('server_version_num')::int as version, rolsuper or rolbypassrls as free,
      current_setting('statement_timeout') = '0' as unbounded from pg_roles where rolname = current_user`)
    if (server?.version < 180000) throw new StartError('DATABASE_URL leads to a PostgreSQL older than 18')
    if (server?.free)
      throw new StartError('DATABASE_URL leads in as a role that row level security does not hold: use app')
    if (server?.unbounded)
      throw new StartError('The role of DATABASE_URL has no statement_timeout: apply src/db/roles.sql')
    const missing = pending(migrations, await applied(send).catch(noSchema))
    if (missing.length)
      throw new StartError(`Migration ${missing[0]?.name} is not applied yet: npm run admin -- migrate`)
  })

/** No schema, no table, or no right to look: nothing was migrated here. */
const noSchema = (error: { code?: string }) => {
  if (['3F000', '42P01', '42501'].includes(error.code ?? '')) return []
  throw error
}
