import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'

/** Stores the texts of the newest event of the case, sealed under `id`. Does nothing if there are none. */
export async function keepText(tx: Tx, caseId: string, id: string, text: Buffer | null): Promise<void> {
  if (!text) return
  await tx.execute(sql`
    insert into event_texts (id, event_id, case_id, organisation_id, content)
    select ${id}, id, case_id, organisation_id, ${text}
    from case_events where case_id = ${caseId} order by id desc limit 1`)
}
