import { resolve } from 'node:path'
import { type Config, StartError } from '../../config.ts'
import { backUp as backUpCluster, restore as restoreCluster } from '../../platform/embedded/backup.ts'
import { withEmbedded } from './owner.ts'

const folderOf = ({ databaseUrl }: Config, command: string, folder: string | undefined): string => {
  if (databaseUrl)
    throw new StartError(
      `${command} works for the embedded PostgreSQL only; for the database of DATABASE_URL use its own tools, such as pg_basebackup`,
    )
  if (!folder) throw new StartError(`${command} needs a folder, for example ${command} ./backup`)
  return resolve(folder)
}

/** Copies the embedded database into a folder, whether or not the service is running. */
export async function backUp(config: Config, folder: string | undefined): Promise<string> {
  const to = folderOf(config, 'backup', folder)
  await withEmbedded(config.dataDir, cluster => backUpCluster(cluster, config.dataDir, to))
  return `Backed up the database to ${to}; sealed values stay sealed. To restore it you need ${config.keyFile} (the keys) and ${config.erasureLedger} (the erasures since): keep copies of both, in another place`
}

/** Restores the embedded database from a backup. */
export async function restore(config: Config, folder: string | undefined): Promise<string> {
  const from = folderOf(config, 'restore', folder)
  await restoreCluster(from, config.dataDir)
  return `Restored the database of ${from} to ${config.dataDir}. Copy the newest key file to ${config.keyFile} and the newest ledger to ${config.erasureLedger}, then run: npm run admin -- restore-check`
}
