import { untilNothingIsLeft } from '../../platform/db/batches.ts'
import type { Database } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'

/** Referrals per transaction. */
const batch = 100

/**
 * Ends offers that were not accepted in time, and returns their cases to the senders. Returns how many. It may run
 * late: an offer counts as expired from the end of its term on.
 */
export const expireReferrals = (db: Database): Promise<number> =>
  untilNothingIsLeft(db, sql`app.expire_referrals(${batch})`)
