import { z } from 'zod'
import { enterNobody } from '../../platform/db/admission.ts'
import type { Database } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'

/** Referrals per transaction. */
const batch = 100

const EndedRow = z.object({ ended: z.int() })

/**
 * Ends offers that were not accepted in time, and returns their cases to the senders. Returns how many. It may run
 * late: an offer counts as expired from the end of its term on.
 */
export const expireReferrals = async (db: Database): Promise<number> => {
  let expired = 0
  for (;;) {
    const [row] = await db.transact(enterNobody, tx =>
      tx.rows(EndedRow, sql`select app.expire_referrals(${batch}) as ended`),
    )
    expired += row?.ended ?? 0
    if (!row?.ended) return expired
  }
}
