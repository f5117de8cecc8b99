import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { placeOfText } from '../../casefile/events/text.ts'
import { party } from '../../people/organisations/queries.ts'
import type { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { opened, sealed } from '../../platform/db/sealed.ts'
import type { IdentityDocument } from './contract.ts'

const Said = z.object({ number: z.string(), issuer: z.string().optional(), iin: z.string().optional() })
type Kept = Omit<IdentityDocument, keyof z.output<typeof Said>> & { content: Sealed | null; textId: string }

/** The documents of a case, the newest first, each with how it came to the person. */
export async function list(tx: Tx, caseId: string): Promise<IdentityDocument[]> {
  const rows = await tx.execute<Kept>(sql`
    select e.id, d.type, ${sealed('d.content')} as content, d.text_id as "textId",
      d.issued_on as "issuedOn", d.expires_on as "expiresOn", app.rfc3339(e.recorded_at) as "recordedAt",
      ${party('o')} as organisation, d.annulled, e.job_id is not null as imported,
      (select jsonb_build_object('on', h.occurred_on, 'to', h.facts ->> 'handedOverTo') from standing_events h
        where h.case_id = d.case_id and h.facts ->> 'document' = d.event_id::text) as "handedOver"
    from documents d join case_events e on e.id = d.event_id join organisations o on o.id = e.organisation_id
    where d.case_id = ${caseId} order by e.id desc`)
  return rows.map(({ content, textId, ...document }) => {
    const { number = null, issuer = null, iin = null } = opened(tx.keys, placeOfText(textId), content, Said) ?? {}
    return { ...document, number, issuer, iin }
  })
}
