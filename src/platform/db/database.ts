import type { z } from 'zod'
import { Problem, unavailable } from '../../problem.ts'
import { isProblemName } from '../../problems.ts'
import type { Actor } from '../access/actor.ts'
import type { Keys } from '../access/keys.ts'
import type { Office } from '../access/permissions.ts'
import type { Connection, Endpoint, Send } from './connection.ts'
import { drizzle, type PostgresJsDatabase, type SQL } from './drizzle.ts'
import { Pool } from './pool.ts'

/** What work gets to ask the database with: drizzle, whoever is asking, and the keys to what is sealed. There is no transaction inside one. */
export type Tx = Omit<PostgresJsDatabase, 'transaction' | '$client' | 'execute'> & {
  actor: Promise<Actor>
  keys: Keys
  /** Sends a statement at once: those sent together share a flight, and run in the order in which they were sent. */
  execute(query: SQL): Promise<Record<string, unknown>[]>
  /** The same with the type of its rows: a contract that production trusts and the tests compare with what comes. */
  rows<Row extends z.ZodObject>(row: Row, query: SQL): Promise<z.output<Row>[]>
}

/** Told of every answer to {@link Tx.rows}: the type that its rows should have, and the rows with their columns. */
export type Watcher = (
  row: z.ZodObject,
  rows: readonly unknown[] & { columns: { name: string; type: number }[] },
) => void

/** How a transaction begins: the statement that finds out who is asking, and refuses them (see `app.enter`). */
export type Admission = readonly [text: string, values: readonly unknown[]]

export const enterSession = (session: string, offices: readonly Office[]): Admission => [
  'select app.enter($1, $2) as actor',
  [session, offices],
]
export const enterJob = (job: string, offices: readonly Office[]): Admission => [
  'select app.enter_job($1, $2) as actor',
  [job, offices],
]
/** The same, in a transaction that will have an entry of this id in the audit log: what it writes refers to it. */
export const withEntry = (id: string, [text, values]: Admission): Admission => [
  `${text}, set_config('app.entry', $${values.length + 1}, true)`,
  [...values, id],
]
/** Nobody: sees nothing, and reaches only the functions made for those who are about to sign in. */
export const enterNobody: Admission = [`select set_config('app.actor', '', true), null as actor`, []]

/** Where an error comes from that the entry of a statement met. */
const ofEntry = /function (app\.)?write_entry\(/

type Options = { size?: number; wait?: number; deadline?: number; watch?: Watcher | undefined }

export class Database {
  readonly keys: Keys
  readonly #pool: Pool
  readonly #deadline: number
  readonly #watch: Watcher | undefined

  /** `size` connections; `wait` ms for a free one, `deadline` ms for a whole transaction. */
  constructor(endpoint: Endpoint, keys: Keys, { size = 10, wait = 1_900, deadline = 10_000, watch }: Options = {}) {
    this.keys = keys
    this.#pool = new Pool(endpoint, { size, wait })
    this.#deadline = deadline
    this.#watch = watch
  }

  get counts() {
    return this.#pool.counts
  }

  close() {
    return this.#pool.close()
  }

  /**
   * Runs `work` in one transaction. `begin`, the entry and the first statement share a flight; a refused entry fails
   * the transaction, so that nothing sent behind it can run. `last`: the statement that tells of what work came to; it
   * shares a flight with `commit`, and if it fails, nothing happened. The handle is dead when the transaction is over.
   */
  transact<T>(admission: Admission, work: (tx: Tx) => Promise<T>, last?: (value: T) => SQL): Promise<T> {
    return this.#hold(async (connection, answered) => {
      const handle = { open: true }
      try {
        const begun = connection.send('begin')
        const actor = connection.send(...admission).then(rows => rows[0]?.actor as Actor)
        actor.catch(() => {}) // work need not look at it
        const { db, execute, rows } = executeOn(connection, handle, this.#watch)
        const tx = Object.assign(db, { actor, execute, rows, keys: this.keys })
        // A promise of our own: a query of drizzle's is a thenable that runs anew each time somebody asks for its value.
        const worked = (async () => work(tx))()
        worked.catch(() => {})
        await answered(Promise.all([begun, actor]))
        const value = await answered(worked)
        const told = last && tx.execute(last(value))
        handle.open = false
        const { command } = await answered(connection.send('commit'))
        if (told) await answered(told).catch(cause => Promise.reject(unavailable(cause)))
        if (command !== 'COMMIT') throw new Error('a failed statement was not awaited') // it answers ROLLBACK, silently
        return value
      } catch (error) {
        handle.open = false
        // First in, first out: after its answer nothing of ours is under way.
        if (!connection.dead) await answered(connection.send('rollback')).catch(cause => connection.kill(cause))
        throw error
      }
    })
  }

  /** Asks one statement that is a whole transaction, for it lets the caller in itself: at half of what the same costs in several. */
  ask<Row extends z.ZodObject>(row: Row, statement: SQL): Promise<z.output<Row>[]> {
    return this.#hold((connection, answered) =>
      answered(executeOn(connection, { open: true }, this.#watch).rows(row, statement)).catch(error => {
        throw ofEntry.test(ofDriver<Refusal>(error).where ?? '') ? unavailable(error) : error
      }),
    )
  }

  /** Work with a connection of its own; `answered` gives up when that drops. */
  async #hold<T>(work: (connection: Connection, answered: <V>(promise: PromiseLike<V>) => Promise<V>) => Promise<T>) {
    const connection = await this.#pool.acquire()
    const gone = Promise.withResolvers<never>() // one a transaction: racing a promise that lives longer leaks every value
    gone.promise.catch(() => {})
    connection.watch(gone.reject)
    const deadline = setTimeout(() => connection.kill(new Error('past the deadline')), this.#deadline)
    try {
      return await work(connection, promise => Promise.race([promise, gone.promise]))
    } catch (error) {
      throw connection.dead ? unavailable(error) : refusalOf(error)
    } finally {
      clearTimeout(deadline)
      connection.watch()
      this.#pool.release(connection)
    }
  }
}

/** What the driver says of an error; drizzle's wrap it. */
export function ofDriver<T extends { code?: string }>(error: unknown): T {
  const { cause } = error as { cause?: T }
  return cause?.code ? cause : (error as T)
}

/** What `app.refuse` says is meant for the caller; any other error stays what it is. */
export function refusalOf(error: unknown): unknown {
  const { code, message, detail, hint: pointer } = ofDriver<Refusal>(error)
  if (code !== 'QJ001' || !isProblemName(message)) return error
  if (pointer) return new Problem(message, { errors: [{ pointer, detail: detail ?? '' }] })
  return new Problem(message, detail ? { detail } : {})
}
type Refusal = { code?: string; message: string; detail?: string; hint?: string; where?: string }

/** Drizzle on this connection for as long as the transaction is open: it also writes and reads JSON and dates as they are. */
function executeOn({ client, send }: Connection, handle: { open: boolean }, watch: Watcher | undefined) {
  const unsafe: Send = (text, values) => {
    if (!handle.open) throw unavailable(new Error('this transaction is over'))
    return send(text, values)
  }
  const db = drizzle({ options: client.options, unsafe } as never, { casing: 'snake_case' })
  const lazy = db.execute.bind(db)
  const execute = (query: SQL) => {
    const sent = lazy(query).execute()
    sent.catch(() => {}) // a failure after another one that was reported must not end the process
    return sent as never
  }
  const rows: Tx['rows'] = (row, query) => {
    const sent = execute(query) as Promise<never>
    if (!watch) return sent
    const watched = sent.then(rows => {
      watch(row, rows)
      return rows
    })
    watched.catch(() => {})
    return watched
  }
  return { db, execute, rows }
}
