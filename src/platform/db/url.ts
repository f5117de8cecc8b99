import { StartError } from '../../config.ts'
import type { Endpoint } from './connection.ts'

/** `sslmode` as libpq knows it, and what the driver makes of it, which knows no check of the authority alone. */
const sslmodes: Record<string, Endpoint['ssl']> = {
  disable: false,
  allow: 'allow',
  prefer: 'prefer',
  require: 'require',
  'verify-ca': 'verify-full',
  'verify-full': 'verify-full',
}

/** A database by its URL, the value of this variable. */
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

const wrongUser = ({ user }: Endpoint) => `does not let ${user} in: is the password right`
const wrongs: Record<string, (endpoint: Endpoint) => string> = {
  '28P01': wrongUser,
  '28000': wrongUser,
  '3D000': ({ database }) => `has no database ${database}: is the name right`,
  '42501': ({ user, database }) => `does not let ${user} into ${database}: is it the right role`,
}

/** Why no work is done in the database of this variable; for errors of a connection, others go on as they are. */
export const unanswered = (variable: string, endpoint: Endpoint) => (error: Error & { code?: string }) => {
  const { code = '' } = error
  if (error instanceof StartError) throw error
  const wrong = wrongs[code]?.(endpoint) ?? `does not answer (${code || error.name}): is it up, is the URL right`
  throw new StartError(`The database of ${variable} ${wrong}? For example ${variable}=${example[variable]}`, {
    cause: error,
  })
}

const example: Record<string, string> = {
  DATABASE_URL: 'postgres://app:secret@db/qujat',
  DATABASE_OWNER_URL: 'postgres://owner:secret@db/qujat',
}
