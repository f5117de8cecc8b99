import { z } from 'zod'
import { enterNobody } from '../../platform/db/admission.ts'
import type { Database } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'

/** Cases per transaction. */
const batch = 100

const EntrustedRow = z.object({ entrusted: z.int() })

/** Gives the cases of organisations whose closing is over to the custodian. Returns how many. */
export const entrustCases = async (db: Database): Promise<number> => {
  let entrusted = 0
  for (;;) {
    const [row] = await db.transact(enterNobody, tx =>
      tx.rows(EntrustedRow, sql`select app.entrust_cases(${batch}) as entrusted`),
    )
    entrusted += row?.entrusted ?? 0
    if (!row?.entrusted) return entrusted
  }
}
