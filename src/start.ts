import { existsSync } from 'node:fs'
import { createKeyFile, readKeys } from './access/keys.ts'
import { buildApp } from './app.ts'
import { type Config, StartError } from './config.ts'
import { prepareDatabase } from './database.ts'
import type { Endpoint } from './db/connection.ts'
import { Database } from './db/database.ts'
import { checkSchema } from './db/migrate.ts'
import { holdCluster, setUpCluster } from './db/setup.ts'
import { endpointOf } from './db/url.ts'
import { type Demonstration, readDemonstration, writeDemonstration } from './demonstration.ts'
import { Cluster, rolesSql } from './embedded/cluster.ts'
import { measure, serveMetrics } from './http/metrics.ts'

export type Service = { address: string; demonstration: Demonstration | undefined; stop: () => Promise<void> }

type Ground = { app: Endpoint; demonstration?: Demonstration | undefined; stop: () => Promise<void> }

/** The service, listening: on the database of DATABASE_URL, or else on one of its own. */
export async function startService(config: Config): Promise<Service> {
  const ground = config.databaseUrl
    ? { app: endpointOf(config.databaseUrl), stop: async () => {} }
    : await embedded(config)
  try {
    await checkSchema(ground.app).catch(unreachable)
    const db = new Database(ground.app, { size: config.poolSize, deadline: config.requestDeadline })
    const app = await buildApp({ db, keys: readKeys(config.keyFile), config })
    const closeMetrics = await serveMetrics(measure(app, db), config).catch(inUse('METRICS_PORT', config.metricsPort))
    const address = await app.listen({ host: config.host, port: config.port }).catch(inUse('PORT', config.port))
    const stop = async () => {
      await app.close()
      await closeMetrics()
      await db.close()
      await ground.stop()
    }
    return { address, demonstration: 'demonstration' in ground ? ground.demonstration : undefined, stop }
  } catch (error) {
    await ground.stop()
    throw error
  }
}

/** The embedded PostgreSQL, migrated, seeded, and at the very first start with people to try things out with. */
async function embedded(config: Config): Promise<Ground> {
  const { cluster } = await Cluster.start(config.dataDir)
  const release = await holdCluster(cluster.endpoint('postgres', 'postgres'))
  const stop = async () => {
    await release()
    await cluster.stop()
  }
  try {
    await setUpCluster(cluster.endpoint('postgres', 'postgres'), rolesSql(), cluster.passwords)
    await prepareDatabase(cluster.endpoint('owner'), config)
    if (!existsSync(config.keyFile)) createKeyFile(config.keyFile)
    await writeDemonstration(config.dataDir, cluster.endpoint('owner'))
    return { app: cluster.endpoint('app'), demonstration: readDemonstration(config.dataDir), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const unreachable = (error: Error & { code?: string }) => {
  if (error instanceof StartError) throw error
  throw new StartError(
    `The database of DATABASE_URL does not answer (${error.code ?? error.name}): is it up, is the URL right?`,
    { cause: error },
  )
}

const inUse = (variable: string, port: number) => (error: { code?: string }) => {
  if (error.code !== 'EADDRINUSE') throw error
  throw new StartError(`${variable} ${port} is in use: choose another one, for example ${variable}=${port + 1}`)
}
