import { untilNothingIsLeft } from '../../platform/db/batches.ts'
import type { Database } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'

/** Cases per transaction. */
const batch = 100

/** Gives the cases of organisations whose closing is over to the custodian. Returns how many. */
export const entrustCases = (db: Database): Promise<number> => untilNothingIsLeft(db, sql`app.entrust_cases(${batch})`)
