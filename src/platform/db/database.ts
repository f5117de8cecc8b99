import { z } from 'zod'
import { Problem, unavailable } from '../../problem.ts'
import { isProblemName } from '../../problems.ts'
import type { Actor } from '../access/actor.ts'
import { Clock } from '../access/clock.ts'
import type { Keys } from '../access/keys.ts'
import { type Admission, nobody } from './admission.ts'
import type { Connection, Endpoint, Send } from './connection.ts'
import { drizzle, type PostgresJsDatabase, type SQL, sql } from './drizzle.ts'
import { Pool } from './pool.ts'

/** The handle of a transaction: drizzle, the caller, and the keys of sealed columns. Transactions do not nest. */
export type Tx = Omit<PostgresJsDatabase, 'transaction' | '$client' | 'execute'> & {
  actor: Promise<Actor>
  keys: Keys
  /**
   * Sends a statement at once. Statements sent together share a round trip and run in the order in which they were
   * sent.
   */
  execute(query: SQL): Promise<Record<string, unknown>[]>
  /** The same with the type of its rows. Production trusts the type; the tests compare it with the rows returned. */
  rows<Row extends z.ZodObject>(row: Row, query: SQL): Promise<z.output<Row>[]>
}

/** Called with every result of {@link Tx.rows}: the declared type of its rows, and the rows with their columns. */
export type Watcher = (
  row: z.ZodObject,
  rows: readonly unknown[] & { columns: { name: string; type: number }[] },
) => void

/** Matches the context of an error that was raised while the audit entry was written. */
const ofEntry = /function (app\.)?write_entry\(/

const ClockRow = z.object({ instant: z.number() })

type Options = { size?: number; wait?: number; deadline?: number; watch?: Watcher | undefined }

export class Database {
  readonly keys: Keys
  readonly clock = new Clock()
  readonly #pool: Pool
  readonly #deadline: number
  readonly #watch: Watcher | undefined

  /** `size`: number of connections; `wait`: ms to wait for a free one; `deadline`: ms for a whole transaction. */
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

  /** Sets {@link clock} by the database. */
  async readClock(): Promise<void> {
    const at = performance.now()
    const [row] = await this.ask(ClockRow, sql`select extract(epoch from app.now())::float * 1000 as instant`)
    if (row) this.clock.follow(row.instant, at)
  }

  /**
   * Runs `work` in one transaction. `begin`, the admission and the first statement share a round trip. A refused
   * admission fails the transaction, so that no statement sent after it can run. `last` makes the statement that
   * records the result of `work`; it shares a round trip with `commit`, and if it fails, the transaction is rolled
   * back. The handle cannot be used after the transaction has ended.
   *
   * A transaction that PostgreSQL ended for the sake of another one, such as in a deadlock, is run again from the start:
   * `work` changes nothing outside of it.
   */
  transact<T>(admission: Admission, work: (tx: Tx) => Promise<T>, last?: (value: T) => SQL): Promise<T> {
    return again(() => this.#transactOnce(admission, work, last))
  }

  #transactOnce<T>(admission: Admission, work: (tx: Tx) => Promise<T>, last?: (value: T) => SQL): Promise<T> {
    const [text, values, line] = admission
    return this.#hold(line, async (connection, answered) => {
      const handle = { open: true }
      try {
        const begun = connection.send('begin')
        const actor = connection.send(text, values).then(rows => rows[0]?.actor as Actor)
        actor.catch(() => {}) // work may not await it
        const { db, execute, rows } = executeOn(connection, handle, this.#watch)
        const tx = Object.assign(db, { actor, execute, rows, keys: this.keys })
        // Wrapped in a promise: a query of drizzle is a thenable that runs again on each `then`.
        const worked = (async () => work(tx))()
        worked.catch(() => {})
        await answered(Promise.all([begun, actor]))
        const value = await answered(worked)
        const recorded = last && tx.execute(last(value))
        handle.open = false
        const { command } = await answered(connection.send('commit'))
        if (recorded)
          await answered(recorded).catch(cause => Promise.reject(entryFailed(cause) ? unavailable(cause) : cause))
        if (command !== 'COMMIT') throw new Error('a failed statement was not awaited') // PostgreSQL replies ROLLBACK
        return value
      } catch (error) {
        handle.open = false
        // Replies come in order: after the reply to this one no statement of the transaction is running.
        if (!connection.dead) await answered(connection.send('rollback')).catch(cause => connection.kill(cause))
        throw error
      }
    })
  }

  /**
   * Runs one statement as a whole transaction; it admits the caller itself. It costs half of what several statements
   * cost.
   */
  ask<Row extends z.ZodObject>(row: Row, statement: SQL, line = nobody): Promise<z.output<Row>[]> {
    return again(() =>
      this.#hold(line, (connection, answered) =>
        answered(executeOn(connection, { open: true }, this.#watch).rows(row, statement)).catch(error => {
          throw ofEntry.test(ofDriver<Refusal>(error).where ?? '') && entryFailed(error) ? unavailable(error) : error
        }),
      ),
    )
  }

  /** Runs `work` with a connection of its own. `answered` rejects when the connection drops. */
  async #hold<T>(
    line: string,
    work: (connection: Connection, answered: <V>(promise: PromiseLike<V>) => Promise<V>) => Promise<T>,
  ) {
    const connection = await this.#pool.acquire(line)
    const gone = Promise.withResolvers<never>() // one per transaction: racing a longer-lived promise leaks every value
    gone.promise.catch(() => {})
    connection.watch(gone.reject)
    const deadline = setTimeout(
      () => connection.kill(new Error('the transaction exceeded its deadline')),
      this.#deadline,
    )
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

/** How often a transaction is run before its error is the caller's. */
const attempts = 3

async function again<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await run()
    } catch (error) {
      if (attempt === attempts || !wasOvertaken(error)) throw error
    }
}

/**
 * Whether another transaction got in the way: a deadlock, a serialization failure, or a row that a policy refuses because
 * the case was closed to the caller after the service had found it open. The next run finds what there is then.
 */
function wasOvertaken(error: unknown): boolean {
  const { code = '', message = '', cause } = error as Partial<Refusal> & { cause?: unknown }
  return (
    /^40(P01|001)$/.test(code) ||
    (code === '42501' && message.includes('row-level security')) ||
    (cause !== undefined && wasOvertaken(cause))
  )
}

/** Returns the error of the driver, which drizzle wraps in its own. */
export function ofDriver<T extends { code?: string }>(error: unknown): T {
  const { cause } = error as { cause?: T }
  return cause?.code ? cause : (error as T)
}

/** Matches the SQLSTATE of `app.refuse` (QJ001) and `app.refuse_for` (QJ002). */
const isRefusal = /^QJ00[12]$/

/** Whether the audit entry could not be written; a refusal while it is written is not that. */
const entryFailed = (error: unknown) => !isRefusal.test(ofDriver<Refusal>(error).code ?? '')

/** Returns the {@link Problem} of an error that `app.refuse` or `app.refuse_for` raised, and any other error unchanged. */
export function refusalOf(error: unknown): unknown {
  const { code = '', message, detail, hint: pointer } = ofDriver<Refusal>(error)
  if (!isRefusal.test(code) || !isProblemName(message)) return error
  if (code === 'QJ002') return new Problem(message, { retryAfter: Number(detail) })
  if (pointer) return new Problem(message, { errors: [{ pointer, detail: detail ?? '' }] })
  return new Problem(message, detail ? { detail } : {})
}
type Refusal = { code?: string; message: string; detail?: string; hint?: string; where?: string }

/** Returns drizzle on this connection, usable while the transaction is open. It passes JSON and dates on unchanged. */
function executeOn({ client, send }: Connection, handle: { open: boolean }, watch: Watcher | undefined) {
  const unsafe: Send = (text, values) => {
    if (!handle.open) throw unavailable(new Error('the transaction has ended'))
    return send(text, values)
  }
  const db = drizzle({ options: client.options, unsafe } as never, { casing: 'snake_case' })
  const lazy = db.execute.bind(db)
  const execute = (query: SQL) => {
    const sent = lazy(query).execute()
    sent.catch(() => {}) // a second failure, after the reported one, must not end the process
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
