import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, StartError } from '../../config.ts'
import { Connection, type Endpoint } from '../../platform/db/connection.ts'
import { endpointOf, unanswered } from '../../platform/db/url.ts'
import { Cluster } from '../../platform/embedded/cluster.ts'
import { holdFolder } from '../../platform/embedded/folder.ts'

/** Runs `work` as the owner of the database of DATABASE_OWNER_URL, or else of the embedded one, even while a service uses it. */
export async function asOwner<T>(config: Config, work: (owner: Endpoint) => Promise<T>): Promise<T> {
  const { databaseOwnerUrl, dataDir } = config
  const variable = 'DATABASE_OWNER_URL'
  if (databaseOwnerUrl) {
    const owner = endpointOf(databaseOwnerUrl, variable)
    await Connection.with(owner, async () => {}).catch(unanswered(variable, owner))
    return work(owner)
  }
  if (!existsSync(join(dataDir, 'postgres')))
    throw new StartError(
      `${variable} is not set, for example ${variable}=postgres://owner:secret@db/qujat, and DATA_DIR ${dataDir} contains no database`,
    )
  return withEmbedded(dataDir, cluster => work(cluster.endpoint('owner')))
}

/** Starts the embedded PostgreSQL for the work and stops it afterwards; uses and leaves running that of a running service. */
export async function withEmbedded<T>(dataDir: string, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const release = holdUnlessHeld(dataDir)
  const cluster = await Cluster.start(dataDir)
  try {
    return await work(cluster)
  } finally {
    if (release) {
      await cluster.stop()
      release()
    }
  }
}

function holdUnlessHeld(dataDir: string): (() => void) | undefined {
  try {
    return holdFolder(dataDir)
  } catch (error) {
    if (error instanceof StartError) return undefined // a service is running there
    throw error
  }
}
