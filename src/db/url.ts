import type { Endpoint } from './connection.ts'

/** A database by its URL. Certificates are asked for as `sslmode` says, as in libpq. */
export function endpointOf(url: string): Endpoint {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  const sslmode = searchParams.get('sslmode')
  return {
    host: searchParams.get('host') ?? decodeURIComponent(hostname),
    port: Number(searchParams.get('port') ?? (port || 5432)),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    ...(sslmode && sslmode !== 'disable' && { ssl: sslmode === 'verify-full' ? 'verify-full' : 'require' }),
  }
}
