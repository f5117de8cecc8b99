import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { placeOfText } from '../../casefile/events/text.ts'
import { party } from '../../people/organisations/queries.ts'
import type { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { opened, sealed } from '../../platform/db/sealed.ts'
import type { Decision } from './contract.ts'

const Said = z.object({ reasons: z.string(), evidence: z.array(z.string()) }).partial()
type Kept = Omit<Decision, 'reasons' | 'evidence'> & { content: Sealed | null; textId: string | null }

/** The decisions on a case, the newest first: the first that is not annulled is the current one. */
export async function list(tx: Tx, caseId: string): Promise<Decision[]> {
  const rows = await tx.execute<Kept>(sql`
    select e.id, d.outcome, code.polarity, d.country, d.legal_reference as "legalReference", d.reason,
      ${sealed('d.content')} as content, d.text_id as "textId", d.identity_version as "identityVersion",
      e.occurred_on as "decidedOn", app.rfc3339(e.recorded_at) as "recordedAt",
      ${party('o')} as organisation, d.final_on as "finalOn",
      e.job_id is not null as imported, d.annulled,
      not d.annulled and not exists (select from decisions later where later.case_id = d.case_id and later.event_id > d.event_id
        and not later.annulled) and not exists (select from standing_events r where r.case_id = d.case_id and r.action = 'reopen'
        and r.id > d.event_id) as current
    from decisions d join case_events e on e.id = d.event_id join organisations o on o.id = e.organisation_id
      join codes code on code.list = 'outcome' and code.code = d.outcome
    where d.case_id = ${caseId} order by e.id desc`)
  return rows.map(({ content, textId, ...decision }) => {
    const { reasons = null, evidence = [] } = opened(tx.keys, placeOfText(textId ?? ''), content, Said) ?? {}
    return { ...decision, reasons, evidence }
  })
}
