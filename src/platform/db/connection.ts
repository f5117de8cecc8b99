import postgres from 'postgres'
import { unavailable } from '../../problem.ts'

export type Endpoint = postgres.Options<Record<string, postgres.PostgresType>>

type Rows = (postgres.Row & Iterable<postgres.Row>)[]

/** Sends a statement at once, after those already sent; its result may be awaited later. */
export type Send = (text: string, values?: readonly unknown[]) => postgres.PendingQuery<Rows>

const quiet = () => {}

/**
 * One postgres.js client with one connection, reserved for its whole life and discarded when the connection drops. A handle
 * that outlives its connection then cannot reach another one, and no statement is retried on a new one: postgres.js would run
 * it inside whichever transaction uses that connection by then (porsager/postgres#1216).
 */
export class Connection {
  /** The client, from which drizzle takes its parsers and serializers; queries go through {@link send}. */
  readonly client: postgres.Sql
  dead = false
  #run: postgres.ReservedSql | undefined
  #lost: (error: Error) => void = quiet

  private constructor(endpoint: Endpoint, like: Connection | undefined) {
    this.client = postgres({
      connect_timeout: 2,
      onnotice: quiet,
      ...endpoint,
      max: 1,
      max_lifetime: null,
      fetch_types: !like,
      onclose: () => this.kill(),
    })
    if (!like) return
    const [own, known] = [this.client.options, like.client.options]
    Object.assign(own.parsers, known.parsers)
    Object.assign(own.serializers, known.serializers)
  }

  /**
   * `like`: an earlier connection to this database, which has read its array types. The new one takes them from it: postgres.js
   * awaits the reading of types nowhere, so a connection that is reset meanwhile would end the process.
   */
  static async open(endpoint: Endpoint, like?: Connection): Promise<Connection> {
    const connection = new Connection(endpoint, like)
    try {
      await connection.client.unsafe('select 1')
      connection.#run = await connection.client.reserve()
      return connection
    } catch (error) {
      connection.kill()
      throw error
    }
  }

  /** Opens a connection for `work` and closes it afterwards. */
  static async with<T>(endpoint: Endpoint, work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await Connection.open(endpoint)
    try {
      return await work(connection)
    } finally {
      await connection.close()
    }
  }

  readonly send: Send = (text, values = []) => {
    if (this.dead || !this.#run) throw unavailable()
    const query = this.#run.unsafe(text, values as never[], { prepare: true }).execute() as postgres.PendingQuery<Rows>
    query.catch(quiet) // a failure after one that the caller has seen must not end the process
    return query
  }

  /** Runs any number of statements without parameters. */
  script(text: string): Promise<unknown> {
    if (this.dead || !this.#run) throw unavailable()
    return this.#run.unsafe(text).simple()
  }

  /** Runs `work` between `begin` and `commit`; rolls back and rethrows when it fails. */
  async atOnce<T>(work: () => Promise<T>): Promise<T> {
    await this.send('begin')
    try {
      const value = await work()
      await this.send('commit')
      return value
    } catch (error) {
      if (!this.dead) await this.send('rollback')
      throw error
    }
  }

  /** Calls `lost` when the connection drops. There is one watcher at a time: the transaction that uses the connection. */
  watch(lost: (error: Error) => void = quiet) {
    this.#lost = lost
  }

  kill(cause?: unknown) {
    if (!this.dead) {
      this.dead = true
      this.client.end({ timeout: 0 }).catch(quiet)
    }
    this.#lost(unavailable(cause))
  }

  /** Closes at once, without a timeout: the client would wait in vain for its reserved connection to be released. */
  close = () => {
    this.dead = true
    return this.client.end({ timeout: 0 }).catch(quiet)
  }
}
