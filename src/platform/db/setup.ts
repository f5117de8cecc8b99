import { type Config, StartError } from '../../config.ts'
import { Connection, type Endpoint } from './connection.ts'

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

/** A database keeps the country and the time zone that it was set up with: case numbers and days rest on them. */
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
    for (const [variable, asked, there] of both)
      if (there && there !== asked)
        throw new StartError(`${variable} is ${asked}, but this database was set up with ${variable}=${there}`)
  })

export const hasRows = (endpoint: Endpoint, table: 'organisations'): Promise<boolean> =>
  Connection.with(endpoint, async ({ send }) => (await send(`select from ${table} limit 1`)).length > 0)
