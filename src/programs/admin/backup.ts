import { resolve } from 'node:path'
import { type Config, StartError } from '../../config.ts'
import { backUp as backUpCluster, restore as restoreCluster } from '../../platform/embedded/backup.ts'
import { withEmbedded } from './owner.ts'

const folderOf = ({ databaseUrl }: Config, command: string, folder: string | undefined): string => {
  if (databaseUrl)
    throw new StartError(
      `${command} is for the embedded PostgreSQL; that of DATABASE_URL has means of its own, such as pg_basebackup`,
    )
  if (!folder) throw new StartError(`${command} <folder>: which folder, for example ${command} ./backup`)
  return resolve(folder)
}

/** Copies the embedded database into a folder, whether or not the service is at work. */
export async function backUp(config: Config, folder: string | undefined): Promise<string> {
  const to = folderOf(config, 'backup', folder)
  await withEmbedded(config.dataDir, cluster => backUpCluster(cluster, config.dataDir, to))
  return `${to} holds the database, sealed as it is. What opens it is ${config.keyFile}, and what is erased from now on stands in ${config.erasureLedger}: keep copies of both, and elsewhere`
}

/** Makes the embedded database out of a backup. */
export async function restore(config: Config, folder: string | undefined): Promise<string> {
  const from = folderOf(config, 'restore', folder)
  await restoreCluster(from, config.dataDir)
  return `${config.dataDir} holds the database of ${from}. Put the newest copies of the key file and of the ledger to ${config.keyFile} and ${config.erasureLedger}, then: npm run admin -- restore-check`
}
