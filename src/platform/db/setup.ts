import { type Config, StartError } from '../../config.ts'
import { Connection, type Endpoint } from './connection.ts'

/** Creates the roles with these passwords and the database, as superuser; skips what exists. */
export const setUpCluster = (
  superuser: Endpoint,
  roles: string,
  passwords: { owner: string; app: string },
): Promise<void> =>
  Connection.with(superuser, async connection => {
    const [role] = await connection.send(`select from pg_roles where rolname = 'app'`)
    const { owner, app } = passwords
    if (!role)
      await connection.atOnce(async () => {
        await connection.script(`${roles}; alter role owner password '${owner}'; alter role app password '${app}'`)
      })
    const [database] = await connection.send(`select from pg_database where datname = 'qujat'`)
    if (!database) await connection.script('create database qujat owner owner')
  })

/**
 * Throws a {@link StartError} when the country or time zone differs from the one the database was set up with: case numbers
 * and days depend on them.
 */
export const checkInstallation = (
  endpoint: Endpoint,
  { country, timeZone }: Pick<Config, 'country' | 'timeZone'>,
): Promise<void> =>
  Connection.with(endpoint, async ({ send }) => {
    const [installation] = await send('select country, time_zone from installation')
    const both = [
      ['COUNTRY', country, installation?.country],
      ['TIME_ZONE', timeZone, installation?.time_zone],
    ]
    for (const [variable, configured, stored] of both)
      if (stored && stored !== configured)
        throw new StartError(`${variable} is ${configured}, but this database was set up with ${variable}=${stored}`)
  })

export const hasRows = (endpoint: Endpoint, table: 'organisations'): Promise<boolean> =>
  Connection.with(endpoint, async ({ send }) => (await send(`select from ${table} limit 1`)).length > 0)
