/// <reference lib="esnext.disposable" />
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Config, StartError } from '../config.ts'
import { Ledger } from '../oversight/erasures/ledger.ts'
import { createKeyFile, readKeys } from '../platform/access/keys.ts'
import { kmsOf } from '../platform/access/kms.ts'
import type { Endpoint } from '../platform/db/connection.ts'
import { checkSchema } from '../platform/db/migrate.ts'
import { opensStoredKeys } from '../platform/db/sealed.ts'
import { checkInstallation, setUpCluster } from '../platform/db/setup.ts'
import { endpointOf, unanswered } from '../platform/db/url.ts'
import { Cluster, rolesSql } from '../platform/embedded/cluster.ts'
import { holdFolder, makeFolder } from '../platform/embedded/folder.ts'
import { keepRunning } from '../platform/embedded/keep-running.ts'
import { measure, serveMetrics } from '../platform/http/metrics.ts'
import {
  type Demonstration,
  planDemonstration,
  readDemonstration,
  writeDemonstration,
} from './demonstration-accounts.ts'
import { prepareDatabase } from './prepare-database.ts'

export type Service = {
  address: string
  demonstration: Demonstration | undefined
  stop: () => Promise<void>
  /** Rejects with a {@link StartError} when the service cannot go on. */
  lost: Promise<never>
}

type Ground = { app: Endpoint; cluster?: Cluster; demonstration?: Demonstration | undefined }

/** Milliseconds that a stop waits for running requests before it cuts their connections: longer than a request may take. */
const patience = 20_000

/**
 * Starts the service on the database of DATABASE_URL, or else on the embedded one, and listens. A stop, and a start that
 * fails or is interrupted, closes everything that was opened, in reverse order.
 */
export async function startService(config: Config, interrupted = new AbortController().signal): Promise<Service> {
  await using opened = new AsyncDisposableStack()
  // Loading these takes a second of CPU time in this process; meanwhile PostgreSQL starts in its own processes.
  const loaded = Promise.all([
    import('../app.ts'),
    import('../platform/db/database.ts'),
    import('../platform/db/admission.ts'),
    import('../platform/db/entry.ts'),
    import('../oversight/erasures/erase.ts'),
  ])
  loaded.catch(() => {})
  const ground: Ground = config.databaseUrl
    ? { app: endpointOf(config.databaseUrl, 'DATABASE_URL') }
    : await embedded(config, opened, interrupted)
  await checkSchema(ground.app).catch(unanswered('DATABASE_URL', ground.app))
  await checkInstallation(ground.app, config)
  const [{ buildApp }, { Database }, { enterNobody }, { writeOwnEntry }, { eraseApproved }] = await loaded
  const keys = readKeys(config.keyFile, kmsOf(config))
  const db = new Database(ground.app, keys, { size: config.poolSize, deadline: config.requestDeadline })
  opened.defer(() => db.close())
  await db.readClock()
  if (!(await opensStoredKeys(db)))
    throw new StartError(
      `KEY_FILE ${config.keyFile} does not open the data of this database: it belongs to another database or is an older copy`,
    )
  // Compares the ledger with the database, and finishes every approved erasure before the service accepts requests.
  const ledger = new Ledger(config.erasureLedger, keys)
  await eraseApproved(db, ledger)
  const app = await buildApp({ db, ledger, config })
  const closeMetrics = await serveMetrics(measure(app, db), config).catch(
    refused('METRICS_', config.metricsHost, config.metricsPort),
  )
  opened.defer(() => within(1_000, closeMetrics()))
  opened.defer(async () => {
    const closed = app.close()
    await within(patience, closed)
    app.server.closeAllConnections()
    await within(2_000, closed)
  })
  interrupted.throwIfAborted()
  const address = await app
    .listen({ host: config.host, port: config.port })
    .catch(refused('', config.host, config.port))
  interrupted.throwIfAborted()
  await db.transact(enterNobody, tx => tx.execute(writeOwnEntry('service.start')))
  opened.defer(async () => {
    await db.transact(enterNobody, tx => tx.execute(writeOwnEntry('service.stop'))).catch(() => {})
  })
  let lost = new Promise<never>(() => {})
  if (ground.cluster) {
    const watch = keepRunning(ground.cluster, app.log)
    opened.defer(watch.close)
    lost = watch.lost
  }
  const running = opened.move()
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= running.disposeAsync())
  return { address, demonstration: ground.demonstration, stop, lost }
}

/** Starts the embedded PostgreSQL, migrates and seeds it, and at the first start adds the demonstration accounts. */
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
  await writeDemonstration(config.dataDir, cluster.endpoint('owner'), await planned, () =>
    readKeys(config.keyFile, kmsOf(config)),
  )
  return { app: cluster.endpoint('app'), cluster, demonstration: readDemonstration(config.dataDir) }
}

/** Connections in addition to the pool: for migrations, the operator's commands, and PostgreSQL itself. */
const spare = 20

const within = (milliseconds: number, work: Promise<unknown>) =>
  Promise.race([work, setTimeout(milliseconds, undefined, { ref: false })]).then(() => {})

const otherPasswords =
  ({ dataDir }: Config) =>
  (error: Error & { code?: string }) => {
    if (error.code !== '28P01') throw error
    throw new StartError(`DATA_DIR ${dataDir}: passwords.json does not match its PostgreSQL: restore it from a copy`)
  }

const neighbour = (port: number) => (port < 65535 ? port + 1 : port - 1)
const noHost = (of: string, host: string) =>
  `${of}HOST ${host} is not an address of this machine, for example ${of}HOST=127.0.0.1`

/** Messages for an address that cannot be listened on, by system error code; `of`: how the names of its variables begin. */
const refusals: Record<string, (of: '' | 'METRICS_', host: string, port: number) => string> = {
  EADDRINUSE: (of, _, port) =>
    `${of}PORT ${port} is in use: choose another one, for example ${of}PORT=${neighbour(port)}`,
  EACCES: (of, _, port) => `${of}PORT ${port} is reserved for root: choose 1024 or higher, for example ${of}PORT=3000`,
  EADDRNOTAVAIL: noHost,
  EAFNOSUPPORT: noHost,
  EINVAL: noHost,
  ENOTFOUND: noHost,
  EAI_AGAIN: noHost,
  ENODATA: noHost,
}

const refused = (of: '' | 'METRICS_', host: string, port: number) => (error: { code?: string }) => {
  const message = refusals[error.code ?? '']
  throw message ? new StartError(message(of, host, port)) : error
}
