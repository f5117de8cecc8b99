import type { z } from 'zod'
import { party } from '../../people/organisations/queries.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { newerThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { sealed } from '../../platform/db/sealed.ts'
import { Id } from '../../platform/http/contract.ts'
import { notFound } from '../../problem.ts'
import { sealedColumns } from '../sealed-columns.ts'
import { CaseEvent } from './contract.ts'

const timeline = sql`
  select e.id, e.action, nullif(e.from_state, '') as "fromState", e.to_state as "toState", e.occurred_on as "occurredOn",
    app.rfc3339(e.recorded_at) as "recordedAt", ${party('o')} as organisation,
    jsonb_strip_nulls(jsonb_build_object('regionCode', f -> 'region', 'category', f -> 'category', 'causes', f -> 'causes',
      'outcome', f -> 'outcome', 'country', f -> 'country', 'legalReference', f -> 'legalReference', 'reason', f -> 'reason',
      'documentType', f -> 'documentType', 'handedOverTo', f -> 'handedOverTo')) as facts,
    ${sealed('t.content')} as content, t.id as "textId", case when e.organisation_id = app.org() then e.account_id end as "accountId", case when e.organisation_id = app.org() then p.proposed_by end as "proposedBy",
    e.annuls, exists (select from case_events a where a.annuls = e.id) as annulled, e.job_id is not null as imported
  from case_events e join organisations o on o.id = e.organisation_id cross join lateral (select e.facts as f) facts
    left join event_texts t on t.event_id = e.id left join proposals p on p.id = e.proposal_id`

const EventRow = CaseEvent.omit({ text: true }).extend({ content: Sealed.nullable(), textId: Id.nullable() })

const opened =
  ({ keys }: Tx) =>
  ({ content, textId, ...event }: z.output<typeof EventRow>): CaseEvent => ({
    ...event,
    text: sealedColumns.event.open(keys, [textId ?? ''], content),
  })

/** Returns a page of the events of a case, in the order in which they were recorded. */
export async function list(tx: Tx, caseId: string, { cursor, limit }: PageQuery): Promise<Page<CaseEvent>> {
  const rows = await tx.rows(
    EventRow,
    sql`
      ${timeline} where e.case_id = ${caseId} and e.id ${newerThan(cursor)}
      order by e.id limit ${limit + 1}`,
  )
  if (!rows.length && !cursor) throw notFound()
  return pageOf(rows.map(opened(tx)), { limit })
}

/** Returns one event, or undefined if its case is not open to the caller. */
export async function find(tx: Tx, id: string): Promise<CaseEvent | undefined> {
  const rows = await tx.rows(EventRow, sql`${timeline} where e.id = ${id}`)
  return rows.map(opened(tx))[0]
}
