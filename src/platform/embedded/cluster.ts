import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { StartError } from '../../config.ts'
import { Connection, type Endpoint } from '../db/connection.ts'
import { type Binaries, binaries, unprivileged } from './binaries.ts'
import { beginOf, makePrivate, own } from './folder.ts'
import { type Passwords, passwordsIn } from './passwords.ts'

const run = promisify(execFile)

/** The embedded PostgreSQL in the data folder: on a socket that only its user can reach, never on a port. */
export class Cluster {
  readonly #dataDir: string
  readonly #programs: Binaries
  readonly #passwords: Passwords
  readonly #socket: string
  readonly #connections: number
  /** The process that answered last: its id and the time of its start. */
  #process: { pid: number; begin: string | undefined } | undefined

  private constructor(dataDir: string, programs: Binaries, passwords: Passwords, connections: number) {
    this.#dataDir = dataDir
    this.#programs = programs
    this.#passwords = passwords
    this.#connections = connections
    this.#socket = socketOf(dataDir)
  }

  /** Starts the cluster in an existing folder, or adopts the one that a killed service left running. */
  static async start(dataDir: string, { connections = 60 } = {}): Promise<Cluster> {
    for (const name of readdirSync(dataDir)) if (partial.test(name)) remove(join(dataDir, name))
    const programs = reachable(dataDir, await binaries())
    const cluster = new Cluster(dataDir, programs, passwordsIn(dataDir), connections)
    if (!existsSync(cluster.#pgdata)) await cluster.#create()
    await cluster.restart()
    return cluster
  }

  endpoint(role: keyof Passwords, database = 'qujat'): Endpoint {
    return { host: this.#socket, user: role, password: this.#passwords[role], database }
  }

  get passwords(): Readonly<Passwords> {
    return this.#passwords
  }

  /** Whether the process of PostgreSQL lives. */
  runs(): boolean {
    const { pid, begin } = this.#process ?? {}
    return pid !== undefined && begin !== undefined && beginOf(pid) === begin
  }

  /** Starts PostgreSQL unless it answers. Throws a {@link StartError} if it does not start. */
  async restart(): Promise<void> {
    await this.#run()
    const pid = Number(readFileSync(this.#lock, 'utf8').split('\n')[0])
    this.#process = { pid, begin: beginOf(pid) }
  }

  async stop(): Promise<void> {
    await this.#pgCtl('stop', '-m', 'fast').catch(() => {})
    remove(this.#socket)
  }

  get #pgdata() {
    return join(this.#dataDir, 'postgres')
  }

  /** Creates the cluster next to its place and moves it there when complete, so that a kill never leaves a partial one there. */
  async #create(): Promise<void> {
    const place = mkdtempSync(join(this.#dataDir, 'postgres-new-'))
    const passwordFile = join(place, 'password')
    const pgdata = join(place, 'data')
    writeFileSync(passwordFile, this.#passwords.postgres, { mode: 0o600 })
    own(place, passwordFile)
    const options = [
      '-D',
      pgdata,
      '-U',
      'postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
    ]
    try {
      await run(this.#programs.initdb, options, { ...unprivileged, cwd: '/' })
      if (!existsSync(this.#pgdata)) renameSync(pgdata, this.#pgdata)
    } catch (cause) {
      const { stderr = '' } = cause as { stderr?: string }
      const why = /^initdb: error: (.+)$/m.exec(stderr)?.[1] ?? 'initdb was interrupted'
      throw new StartError(`DATA_DIR ${this.#dataDir}: initdb failed there: ${why}`, { cause })
    } finally {
      remove(place)
    }
  }

  async #run(): Promise<void> {
    makePrivate(this.#socket)
    if (await this.#answers()) return
    const settings = [
      `-c unix_socket_directories=${this.#socket} -c unix_socket_permissions=0700 -c listen_addresses=`,
      // The log contains no statements, no parameters and no rows that a statement failed on.
      '-c log_min_messages=fatal -c log_min_error_statement=panic -c log_error_verbosity=terse',
      `-c max_connections=${this.#connections}`,
    ].join(' ')
    const log = join(this.#dataDir, 'postgres.log')
    closeSync(openSync(log, appendHere, 0o600))
    own(log)
    const start = () => this.#pgCtl('start', '-w', '-t', '20', '-l', log, '-o', settings)
    const again = async (left: number, cause: unknown): Promise<unknown> => {
      if (await this.#answers()) return
      // A killed server has not ended yet: its processes hold the shared memory for a moment.
      if (left && existsSync(this.#lock)) return wait(500).then(() => start().catch(cause => again(left - 1, cause)))
      await this.stop() // Ctrl-C ends pg_ctl, but not the server that it is starting
      throw new StartError(`The embedded PostgreSQL does not start: see ${log}`, { cause })
    }
    await start().catch(cause => again(10, cause))
  }

  get #lock() {
    return join(this.#pgdata, 'postmaster.pid')
  }

  /**
   * Returns whether a server answers. Nothing else shows it: a killed server leaves its socket and lock, and for a while its
   * processes.
   */
  async #answers(): Promise<boolean> {
    try {
      await Connection.with(this.endpoint('postgres', 'postgres'), async () => {})
      return true
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (code === recovering) return wait(200).then(() => this.#answers())
      return /^[0-9A-Z]{5}$/.test(code) // an SQLSTATE is an answer too, such as that the password is wrong
    }
  }

  #pgCtl(verb: string, ...options: string[]) {
    return run(this.#programs.pg_ctl, [verb, '-D', this.#pgdata, ...options], { ...unprivileged, cwd: '/' })
  }
}

/** SQLSTATE of a server that is starting, stopping or recovering. */
const recovering = '57P03'
/** Folders that a killed start may leave. */
const partial = /^postgres(ql)?-new-/
const remove = (path: string) => rmSync(path, { recursive: true, force: true, maxRetries: 5 })

/** Refuses to follow a link that another user may have created. */
const appendHere = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW

/** The path of a socket may have at most 107 characters: for a longer data folder the socket is in the temporary folder. */
const socketOf = (dataDir: string) => {
  const near = join(dataDir, 'socket')
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  return near.length < 85 ? near : join(tmpdir(), `qujat-${hash}`)
}

/**
 * For root, PostgreSQL runs as the user nobody, which has to reach the data folder and the programs: copies the programs into
 * the data folder if necessary. Throws a {@link StartError} if that user cannot reach the data folder.
 */
function reachable(dataDir: string, programs: Binaries): Binaries {
  if (!unprivileged) return programs
  const can = (...command: [string, ...string[]]) => {
    try {
      execFileSync(command[0], command.slice(1), { ...unprivileged, cwd: '/', stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }
  if (!can('test', '-x', dataDir))
    throw new StartError(
      `DATA_DIR ${dataDir} cannot be reached by the user nobody, which runs PostgreSQL when the service runs as root: DATA_DIR=/var/lib/qujat npm start`,
    )
  if (can(programs.postgres, '--version')) return programs
  const native = dirname(dirname(programs.postgres))
  const copy = join(dataDir, 'postgresql')
  if (!existsSync(copy)) {
    const partial = mkdtempSync(`${copy}-new-`)
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true })
    chmodSync(partial, 0o755)
    renameSync(partial, copy)
  }
  const copied = (name: string) => join(copy, 'bin', name)
  return { initdb: copied('initdb'), pg_ctl: copied('pg_ctl'), postgres: copied('postgres') }
}

/** The SQL that creates the roles, the same for every cluster. */
export const rolesSql = () =>
  readFileSync(fileURLToPath(new URL('../../../migrations/roles.sql', import.meta.url)), 'utf8')
