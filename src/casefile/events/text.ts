import { sql } from 'drizzle-orm'
import type { Tx } from '../../platform/db/database.ts'
import type { Place } from '../../platform/db/sealed.ts'

/** Where what was typed with an event is sealed, wherever it stands: its id is that of the proposal or the referral that it came with, or its own. */
export const placeOfText = (id: string): Place => ['event_texts.content', id]

/** Keeps what was typed along with the event that was written last, sealed for {@link placeOfText}, if anything was. */
export async function keepText(tx: Tx, caseId: string, id: string, text: Buffer | null): Promise<void> {
  if (!text) return
  await tx.execute(sql`
    insert into event_texts (id, event_id, case_id, organisation_id, content)
    select ${id}, id, case_id, organisation_id, ${text}
    from case_events where case_id = ${caseId} order by id desc limit 1`)
}
