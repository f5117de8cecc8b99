import { z } from 'zod'
import { type Database, enterNobody } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'

/** Referrals at a time. */
const batch = 100

const EndedRow = z.object({ ended: z.int() })

/** Ends offers that nobody accepted in time, and sends their cases back. Gives how many. Nobody depends on it: an offer is over by the clock. */
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
