import { sql } from 'drizzle-orm'
import type { Tx } from '../db/database.ts'
import { party } from '../organisations/queries.ts'
import type { IdentityDocument } from './contract.ts'

/** The documents of a case, the newest first, each with how it came to the person. */
export const list = (tx: Tx, caseId: string) =>
  tx.execute<IdentityDocument>(sql`
    select e.id, d.type, d.content ->> 'number' as number, d.content ->> 'issuer' as issuer, d.content ->> 'iin' as iin,
      d.issued_on as "issuedOn", d.expires_on as "expiresOn", app.rfc3339(e.recorded_at) as "recordedAt",
      ${party('o')} as organisation, d.annulled, e.job_id is not null as imported,
      (select jsonb_build_object('on', h.occurred_on, 'to', h.facts ->> 'handedOverTo') from standing_events h
        where h.case_id = d.case_id and h.facts ->> 'document' = d.event_id::text) as "handedOver"
    from documents d join case_events e on e.id = d.event_id join organisations o on o.id = e.organisation_id
    where d.case_id = ${caseId} order by e.id desc`)
