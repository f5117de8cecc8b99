import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { StartError } from '../../config.ts'
import { Connection, type Endpoint, type Send } from './connection.ts'

export type SqlFile = { name: string; text: string }

/**
 * The SQL of a release. `tables` are versioned: each file is applied once and never edited afterwards. `code` (functions,
 * views, policies, triggers, rights) is dropped and recreated as a whole whenever it or `ground` has changed; `ground`, the
 * functions that tables call, is applied again with it.
 */
export type Release = { ground: SqlFile; tables: readonly SqlFile[]; code: readonly SqlFile[] }

/** What is applied to a database: a hash for each file of its tables, and one for its ground and code together. */
export type Applied = readonly { name: string; hash: string }[]

/** Advisory lock: one migration at a time in a database. */
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

/** The name under which `app.migrations` stores the hash of ground and code. */
const codeName = 'code'

/**
 * Returns what is still to be applied: files of tables, in order, and whether the code differs. Throws a {@link StartError}
 * that names the file if the database has a file that this release lacks, has one with another text, or lacks one that
 * comes before its last.
 */
export function pending({ ground, tables, code }: Release, applied: Applied): { tables: SqlFile[]; code: boolean } {
  const hashes = new Map(applied.map(({ name, hash }) => [name, hash]))
  const own = new Set(tables.map(({ name }) => name))
  const names = [...hashes.keys()].filter(name => name !== codeName).sort()
  for (const name of names)
    if (!own.has(name))
      throw new StartError(
        `The database has ${name}, which this release does not have: use the release that created it, or a new database`,
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
 * Brings the database to this release, as its owner and in one transaction. Returns the names of what was applied: files of
 * tables, and `code` if that was recreated. A running service waits meanwhile, and then uses the new code.
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
    await send(`select app.write_own_entry('admin.migrate', $1)`, [{ migrations: names }]).catch(unlessWithoutLog)
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

/** Dropping code locks every table, while requests of a running service lock some of them in another order. */
async function retryDeadlocks<T>(work: () => Promise<T>, tries = 10): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if ((error as { code?: string }).code !== deadlock || tries === 1) throw error
    return retryDeadlocks(work, tries - 1)
  }
}

/** Ignores that there is no function `app.write_own_entry`: the releases of tests may have no audit log. */
const unlessWithoutLog = (error: { code?: string }) => {
  if (error.code !== '42883') throw error
}

const applied = async (send: Send) => (await send('select name, hash from app.migrations')) as unknown as Applied

/** Throws a {@link StartError} if the server, the role or the schema is not what this release requires. */
export const checkSchema = (endpoint: Endpoint, release = readRelease()): Promise<void> =>
  Connection.with(endpoint, async ({ send }) => {
    const [server] =
      await send(`select current_setting('server_version_num')::int as version, rolsuper or rolbypassrls as free,
      current_setting('statement_timeout') = '0' as unbounded from pg_roles where rolname = current_user`)
    if (server?.version < 180000) throw new StartError('The PostgreSQL of DATABASE_URL is older than version 18')
    if (server?.free) throw new StartError('The role of DATABASE_URL bypasses row level security: use the role app')
    if (server?.unbounded)
      throw new StartError('The role of DATABASE_URL has no statement_timeout: apply migrations/roles.sql')
    const { tables, code } = pending(release, await applied(send).catch(noSchema))
    if (tables.length) throw new StartError(`${tables[0]?.name} is not applied yet: npm run admin -- migrate`)
    if (code) throw new StartError('The SQL code of the database differs from this release: npm run admin -- migrate')
  })

/** Without the schema, the table, or the right to read it, nothing has been migrated. */
const noSchema = (error: { code?: string }) => {
  if (['3F000', '42P01', '42501'].includes(error.code ?? '')) return []
  throw error
}
