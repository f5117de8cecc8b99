import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { StartError } from '../../config.ts'
import { Connection, type Endpoint, type Send } from './connection.ts'

export type SqlFile = { name: string; text: string }

/**
 * The SQL of a release. `tables` are versioned: each file is applied once and never edited afterwards. `code` (functions,
 * views, policies, triggers, rights) is dropped and made anew, whole, whenever it or `ground` has changed; `ground` is
 * what tables call, and is applied again with it.
 */
export type Release = { ground: SqlFile; tables: readonly SqlFile[]; code: readonly SqlFile[] }

/** What a database has of a release: the hash of each file of its tables, and of its ground and code as one. */
export type Applied = readonly { name: string; hash: string }[]

/** One at a time for the whole database, whoever starts it. */
const lock = 7281_0001

const folder = new URL('../../../migrations/', import.meta.url)

export const readRelease = (): Release => ({
  ground: readSql('ground.sql'),
  tables: readFolder('tables/'),
  code: readFolder('code/'),
})

const readSql = (name: string): SqlFile => ({ name, text: readFileSync(new URL(name, folder), 'utf8') })
const readFolder = (name: string) =>
  readdirSync(new URL(name, folder))
    .filter(file => file.endsWith('.sql'))
    .sort()
    .map(file => readSql(name + file))

const hashOf = (...files: readonly SqlFile[]) => {
  const hash = createHash('sha256')
  for (const { name, text } of files) hash.update(`${name}\0${text}\0`)
  return hash.digest('hex')
}

/** The name under which the hash of ground and code is kept, beside those of the tables. */
const codeName = 'code'

/**
 * What is still to be applied: files of tables, in order, and whether the code is another one. Throws a {@link StartError}
 * that names the file when the database has one that this release does not have, one with another text, or lacks one
 * before the last that it has.
 */
export function pending({ ground, tables, code }: Release, applied: Applied): { tables: SqlFile[]; code: boolean } {
  const hashes = new Map(applied.map(({ name, hash }) => [name, hash]))
  const own = new Set(tables.map(({ name }) => name))
  const names = [...hashes.keys()].filter(name => name !== codeName).sort()
  for (const name of names)
    if (!own.has(name))
      throw new StartError(
        `The database has ${name}, which this release does not have: use the release that made it, or a new database`,
      )
  const missing: SqlFile[] = []
  for (const file of tables) {
    const hash = hashes.get(file.name)
    if (hash === undefined) missing.push(file)
    else if (hash !== hashOf(file)) throw new StartError(`${file.name} was edited after it had been applied`)
  }
  const last = names.at(-1) ?? ''
  for (const { name } of missing)
    if (name < last) throw new StartError(`The database lacks ${name}, but has later files`)
  return { tables: missing, code: hashes.get(codeName) !== hashOf(ground, ...code) }
}

/**
 * Brings the database to this release as its owner, all of it in one transaction. Gives what was applied: the files of
 * tables, and `code` if that was made anew. A service that runs meanwhile waits, and then goes on with the new code.
 */
export const migrate = (endpoint: Endpoint, release = readRelease()): Promise<string[]> =>
  Connection.with(endpoint, async connection => {
    const { send } = connection
    await send('select pg_advisory_lock($1)', [lock])
    await send('create schema if not exists app')
    await send(`create table if not exists app.migrations (
      name text collate "C" primary key, hash text not null, applied_at timestamptz not null default now())`)
    const todo = pending(release, await applied(send))
    const names = [...todo.tables.map(({ name }) => name), ...(todo.code ? [codeName] : [])]
    if (!names.length) return names
    await retryDeadlocks(() => connection.atOnce(() => apply(connection, release, todo.tables)))
    await send(`select app.tell('admin.migrate', $1)`, [{ migrations: names }]).catch(unlessUnheard)
    return names
  })

async function apply(connection: Connection, { ground, code }: Release, tables: readonly SqlFile[]) {
  const run = ({ name, text }: SqlFile) =>
    connection.script(text).catch((error: Error & { code?: string }) => {
      throw error.code === deadlock ? error : new StartError(`migrations/${name}: ${error.message}`, { cause: error })
    })
  const keep = (name: string, hash: string) =>
    connection.send(
      `insert into app.migrations (name, hash) values ($1, $2)
       on conflict (name) do update set hash = excluded.hash, applied_at = excluded.applied_at`,
      [name, hash],
    )
  await run(ground)
  await run({ name: ground.name, text: 'call app.drop_code()' })
  for (const file of tables) {
    await run(file)
    await keep(file.name, hashOf(file))
  }
  await connection.send('set local check_function_bodies = off') // functions may call those of later files
  for (const file of code) await run(file)
  await run({ name: ground.name, text: 'call app.own_code()' })
  await keep(codeName, hashOf(ground, ...code))
}

const deadlock = '40P01'

/** Dropping code locks every table; requests of a service that runs meanwhile hold some of them, in another order. */
async function retryDeadlocks<T>(work: () => Promise<T>, tries = 10): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if ((error as { code?: string }).code !== deadlock || tries === 1) throw error
    return retryDeadlocks(work, tries - 1)
  }
}

/** A release of a test may have no audit log to tell. */
const unlessUnheard = (error: { code?: string }) => {
  if (error.code !== '42883') throw error
}

const applied = async (send: Send) => (await send('select name, hash from app.migrations')) as unknown as Applied

/** Refuses a database whose schema or role is not what this release was written for. */
export const checkSchema = (endpoint: Endpoint, release = readRelease()): Promise<void> =>
  Connection.with(endpoint, async ({ send }) => {
    const [server] =
      await send(`select current_setting('server_version_num')::int as version, rolsuper or rolbypassrls as free,
      current_setting('statement_timeout') = '0' as unbounded from pg_roles where rolname = current_user`)
    if (server?.version < 180000) throw new StartError('DATABASE_URL leads to a PostgreSQL older than 18')
    if (server?.free)
      throw new StartError('DATABASE_URL leads in as a role that row level security does not hold: use app')
    if (server?.unbounded)
      throw new StartError('The role of DATABASE_URL has no statement_timeout: apply migrations/roles.sql')
    const { tables, code } = pending(release, await applied(send).catch(noSchema))
    if (tables.length) throw new StartError(`${tables[0]?.name} is not applied yet: npm run admin -- migrate`)
    if (code) throw new StartError('The SQL code of the database is not that of this release: npm run admin -- migrate')
  })

/** No schema, no table, or no right to look: nothing was migrated here. */
const noSchema = (error: { code?: string }) => {
  if (['3F000', '42P01', '42501'].includes(error.code ?? '')) return []
  throw error
}
