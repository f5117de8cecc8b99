import { z } from 'zod'
import { enterNobody } from './admission.ts'
import type { Database } from './database.ts'
import { type SQL, sql } from './drizzle.ts'

const DoneRow = z.object({ done: z.int() })

/**
 * Runs `batch`, SQL that returns how much it has done, without a caller and in one transaction after the other, until
 * nothing is left. Returns how much they have done.
 */
export async function untilNothingIsLeft(db: Database, batch: SQL): Promise<number> {
  let sum = 0
  for (;;) {
    const [row] = await db.transact(enterNobody, tx => tx.rows(DoneRow, sql`select ${batch} as done`))
    if (!row?.done) return sum
    sum += row.done
  }
}
