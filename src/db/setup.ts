import { StartError } from '../config.ts'
import { Connection, type Endpoint } from './connection.ts'

const serviceLock = 7281_0003

/**
 * Holds a cluster for one service as long as the process lives; throws a {@link StartError} with the pid of the one
 * that holds it already. A lock in the database goes with its holder, also after kill -9. Gives what lets go of it.
 */
export async function holdCluster(superuser: Endpoint): Promise<() => Promise<void>> {
  const connection = await Connection.open({ ...superuser, connection: { application_name: `process ${process.pid}` } })
  const [row] = await connection.send('select pg_try_advisory_lock($1) as held', [serviceLock])
  if (row?.held) return connection.close
  const [holder] = await connection.send(
    `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.objid::bigint = $1 and l.granted`,
    [serviceLock],
  )
  await connection.close()
  throw new StartError(`DATA_DIR is in use by another service: ${holder?.name ?? 'it has just ended, try again'}`)
}

/** Makes roles with these passwords and the database, once, as superuser. */
export const setUpCluster = (
  superuser: Endpoint,
  roles: string,
  passwords: { owner: string; app: string },
): Promise<void> =>
  Connection.with(superuser, async connection => {
    const [there] = await connection.send(`select from pg_roles where rolname = 'app'`)
    const { owner, app } = passwords
    if (!there)
      await connection.atOnce(async () => {
        await connection.script(`${roles}; alter role owner password '${owner}'; alter role app password '${app}'`)
      })
    const [database] = await connection.send(`select from pg_database where datname = 'qujat'`)
    if (!database) await connection.script('create database qujat owner owner')
  })
