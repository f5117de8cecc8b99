import { sql } from 'drizzle-orm'
import { type Database, enterNobody } from '../db/database.ts'
import { traceOf } from '../http/problems.ts'

/** Milliseconds between two looks. */
const every = 60_000
/** Referrals at a time. */
const batch = 100

type Log = { error(fields: object, message: string): void }

/** Ends offers that nobody accepted in time, and sends their cases back. Gives how many. */
export const expireReferrals = async (db: Database): Promise<number> => {
  let expired = 0
  for (;;) {
    const [row] = await db.transact(enterNobody, tx =>
      tx.execute<{ ended: number }>(sql`select app.expire_referrals(${batch}) as ended`),
    )
    expired += row?.ended ?? 0
    if (!row?.ended) return expired
  }
}

/** Does so now and from time to time, until it is closed. Nobody depends on it: an offer is over by the clock. */
export class ReferralSweep {
  readonly #db: Database
  readonly #log: Log
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<unknown> = Promise.resolve()

  constructor(db: Database, log: Log) {
    this.#db = db
    this.#log = log
  }

  start(): void {
    this.#timer = setInterval(() => this.#sweep(), every).unref()
    this.#sweep()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#sweeping
  }

  #sweep(): void {
    this.#sweeping = this.#sweeping
      .then(() => expireReferrals(this.#db))
      .catch(error => this.#log.error({ trace: traceOf(error) }, 'referrals could not be swept'))
  }
}
