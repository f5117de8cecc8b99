import { StartError } from '../../config.ts'
import type { Endpoint } from './connection.ts'

/** libpq's values of `sslmode` and what the driver gets; the driver cannot verify the authority alone (`verify-ca`). */
const sslmodes: Record<string, Endpoint['ssl']> = {
  disable: false,
  allow: 'allow',
  prefer: 'prefer',
  require: 'require',
  'verify-ca': 'verify-full',
  'verify-full': 'verify-full',
}

/** Parses the URL of a database. Throws a {@link StartError} that names the variable for an unknown sslmode. */
export function endpointOf(url: string, variable: string): Endpoint {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  const sslmode = searchParams.get('sslmode') ?? 'disable'
  const ssl = sslmodes[sslmode]
  if (ssl === undefined)
    throw new StartError(`${variable} has an unknown sslmode, ${sslmode}, for example …?sslmode=verify-full`)
  return {
    host: searchParams.get('host') ?? decodeURIComponent(hostname),
    port: Number(searchParams.get('port') ?? (port || 5432)),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    ...(ssl && { ssl }),
  }
}

const wrongUser = ({ user }: Endpoint) => `refuses the user ${user}: is the password right`
const wrongs: Record<string, (endpoint: Endpoint) => string> = {
  '28P01': wrongUser,
  '28000': wrongUser,
  '3D000': ({ database }) => `has no database ${database}: is the name right`,
  '42501': ({ user, database }) => `refuses the user ${user} access to ${database}: is it the right role`,
}

/** Turns an error of a connection into a {@link StartError} that names the variable and the likely cause. */
export const unanswered = (variable: string, endpoint: Endpoint) => (error: Error & { code?: string }) => {
  const { code = '' } = error
  if (error instanceof StartError) throw error
  const wrong =
    wrongs[code]?.(endpoint) ?? `does not answer (${code || error.name}): is it running, and is the URL right`
  throw new StartError(`The database server of ${variable} ${wrong}? For example ${variable}=${example[variable]}`, {
    cause: error,
  })
}

const example: Record<string, string> = {
  DATABASE_URL: 'postgres://app:secret@db/qujat',
  DATABASE_OWNER_URL: 'postgres://owner:secret@db/qujat',
}
