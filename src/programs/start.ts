/// <reference lib="esnext.disposable" />
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Config, StartError } from '../config.ts'
import { Ledger } from '../oversight/erasures/ledger.ts'
import { createKeyFile, readKeys } from '../platform/access/keys.ts'
import { kmsOf } from '../platform/access/kms.ts'
import type { Endpoint } from '../platform/db/connection.ts'
import { checkSchema } from '../platform/db/migrate.ts'
import { opensWhatIsKept } from '../platform/db/sealed.ts'
import { checkInstallation, setUpCluster } from '../platform/db/setup.ts'
import { endpointOf, unanswered } from '../platform/db/url.ts'
import { Cluster, rolesSql } from '../platform/embedded/cluster.ts'
import { holdFolder, makeFolder } from '../platform/embedded/folder.ts'
import { measure, serveMetrics } from '../platform/http/metrics.ts'
import {
  type Demonstration,
  planDemonstration,
  readDemonstration,
  writeDemonstration,
} from './demonstration-accounts.ts'
import { prepareDatabase } from './prepare-database.ts'

export type Service = { address: string; demonstration: Demonstration | undefined; stop: () => Promise<void> }

type Ground = { app: Endpoint; demonstration?: Demonstration | undefined }

/** Milliseconds that callers may take to end on the way out, before their connections are cut: more than a request takes. */
const patience = 20_000

/**
 * The service, listening: on the database of DATABASE_URL, or else on one of its own. What was opened is closed in the
 * reverse order, by a stop and by a start that fails or is interrupted alike.
 */
export async function startService(config: Config, interrupted = new AbortController().signal): Promise<Service> {
  await using opened = new AsyncDisposableStack()
  // A second's work for this process, done while PostgreSQL starts in others.
  const loaded = Promise.all([
    import('../app.ts'),
    import('../platform/db/database.ts'),
    import('../platform/db/entry.ts'),
    import('../oversight/erasures/erase.ts'),
  ])
  loaded.catch(() => {})
  const ground: Ground = config.databaseUrl
    ? { app: endpointOf(config.databaseUrl, 'DATABASE_URL') }
    : await embedded(config, opened, interrupted)
  await checkSchema(ground.app).catch(unanswered('DATABASE_URL', ground.app))
  await checkInstallation(ground.app, config)
  const [{ buildApp }, { Database, enterNobody }, { tell }, { checkLedger, eraseApproved }] = await loaded
  const keys = readKeys(config.keyFile, kmsOf(config))
  const db = new Database(ground.app, keys, { size: config.poolSize, deadline: config.requestDeadline })
  opened.defer(() => db.close())
  if (!(await opensWhatIsKept(db)))
    throw new StartError(
      `KEY_FILE ${config.keyFile} does not open what this database keeps: it is that of another one, or an older copy`,
    )
  // Whatever was to be erased is, before anybody can ask for it.
  const ledger = new Ledger(config.erasureLedger, keys)
  await checkLedger(db, ledger)
  await eraseApproved(db, ledger)
  const app = await buildApp({ db, ledger, config })
  const closeMetrics = await serveMetrics(measure(app, db), config).catch(refused('METRICS_PORT', config))
  opened.defer(() => within(1_000, closeMetrics()))
  opened.defer(async () => {
    const closed = app.close()
    await within(patience, closed)
    app.server.closeAllConnections()
    await within(2_000, closed)
  })
  interrupted.throwIfAborted()
  const address = await app.listen({ host: config.host, port: config.port }).catch(refused('PORT', config))
  interrupted.throwIfAborted()
  await db.transact(enterNobody, tx => tx.execute(tell('service.start')))
  opened.defer(async () => {
    await db.transact(enterNobody, tx => tx.execute(tell('service.stop'))).catch(() => {})
  })
  const running = opened.move()
  let stopped: Promise<void> | undefined
  return { address, demonstration: ground.demonstration, stop: () => (stopped ??= running.disposeAsync()) }
}

/** The embedded PostgreSQL, migrated, seeded, and at the very first start with people to try things out with. */
async function embedded(config: Config, opened: AsyncDisposableStack, interrupted: AbortSignal): Promise<Ground> {
  makeFolder(config.dataDir)
  opened.defer(holdFolder(config.dataDir))
  const planned = planDemonstration(config.dataDir)
  planned.catch(() => {})
  const cluster = await Cluster.start(config.dataDir, { connections: config.poolSize + spare })
  opened.defer(() => cluster.stop())
  interrupted.throwIfAborted()
  const superuser = cluster.endpoint('postgres', 'postgres')
  await setUpCluster(superuser, rolesSql(), cluster.passwords).catch(otherPasswords(config))
  interrupted.throwIfAborted()
  await prepareDatabase(cluster.endpoint('owner'), config)
  interrupted.throwIfAborted()
  if (!existsSync(config.keyFile)) {
    createKeyFile(config.keyFile, kmsOf(config))
    Ledger.create(config.erasureLedger)
  }
  await writeDemonstration(config.dataDir, cluster.endpoint('owner'), await planned)
  return { app: cluster.endpoint('app'), demonstration: readDemonstration(config.dataDir) }
}

/** Connections beside the pool: migrations, the operator's, PostgreSQL's own. */
const spare = 20

const within = (milliseconds: number, work: Promise<unknown>) =>
  Promise.race([work, setTimeout(milliseconds, undefined, { ref: false })]).then(() => {})

const otherPasswords =
  ({ dataDir }: Config) =>
  (error: Error & { code?: string }) => {
    if (error.code !== '28P01') throw error
    throw new StartError(`DATA_DIR ${dataDir}: passwords.json is not that of its PostgreSQL: put it back from a copy`)
  }

const beside = (port: number) => (port < 65535 ? port + 1 : port - 1)
const noHost = ({ host }: Config) => `HOST ${host} is not an address of this machine, for example HOST=127.0.0.1`

/** Why an address cannot be listened on, by the system's word for it. */
const refusals: Record<string, (config: Config, variable: string, port: number) => string> = {
  EADDRINUSE: (_, variable, port) =>
    `${variable} ${port} is in use: choose another one, for example ${variable}=${beside(port)}`,
  EACCES: (_, variable, port) =>
    `${variable} ${port} is kept for root: choose one from 1024, for example ${variable}=3000`,
  EADDRNOTAVAIL: noHost,
  EAFNOSUPPORT: noHost,
  EINVAL: noHost,
  ENOTFOUND: noHost,
  EAI_AGAIN: noHost,
  ENODATA: noHost,
}

const refused = (variable: 'PORT' | 'METRICS_PORT', config: Config) => (error: { code?: string }) => {
  const say = refusals[error.code ?? '']
  if (!say) throw error
  throw new StartError(say(config, variable, variable === 'PORT' ? config.port : config.metricsPort))
}
