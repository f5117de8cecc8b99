import { party } from '../../people/organisations/queries.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { sealed } from '../../platform/db/sealed.ts'
import { Id } from '../../platform/http/contract.ts'
import { sealedColumns } from '../sealed-columns.ts'
import { identitiesOf } from '../zones/queries.ts'
import { documentNotices, noticesBy } from '../zones/rules.ts'
import { Decision, IdentityDocument } from './contract.ts'

const DecisionRow = Decision.omit({ reasons: true, evidence: true }).extend({
  content: Sealed.nullable(),
  textId: Id.nullable(),
})

/** Returns the decisions on a case, newest first. The first that is not annulled is the current one. */
export async function decisions(tx: Tx, caseId: string): Promise<Decision[]> {
  const rows = await tx.rows(
    DecisionRow,
    sql`
      select e.id, d.outcome, code.polarity, d.country, d.legal_reference as "legalReference", d.reason,
        ${sealed('d.content')} as content, d.text_id as "textId", d.identity_version as "identityVersion",
        e.occurred_on as "decidedOn", app.rfc3339(e.recorded_at) as "recordedAt",
        ${party('o')} as organisation, d.final_on as "finalOn",
        e.job_id is not null as imported, d.annulled,
        not d.annulled and not exists (select from decisions later where later.case_id = d.case_id and later.event_id > d.event_id
          and not later.annulled) and not exists (select from valid_events r where r.case_id = d.case_id and r.action = 'reopen'
          and r.id > d.event_id) as current
      from decisions d join case_events e on e.id = d.event_id join organisations o on o.id = e.organisation_id
        join codes code on code.list = 'outcome' and code.code = d.outcome
      where d.case_id = ${caseId} order by e.id desc`,
  )
  return rows.map(({ content, textId, ...decision }) => {
    const { reasons, evidence } = sealedColumns.decision.fields(tx.keys, [textId ?? ''], content)
    return { ...decision, reasons, evidence: evidence ?? [] }
  })
}

const DocumentRow = IdentityDocument.omit({ number: true, issuer: true, iin: true, notices: true }).extend({
  content: Sealed.nullable(),
  textId: Id,
})

/** Returns the identity documents of a case, newest first, each with its handover to the person. */
export async function documents(tx: Tx, caseId: string): Promise<IdentityDocument[]> {
  const rows = await tx.rows(
    DocumentRow,
    sql`
      select e.id, d.type, ${sealed('d.content')} as content, d.text_id as "textId",
        d.issued_on as "issuedOn", d.expires_on as "expiresOn", app.rfc3339(e.recorded_at) as "recordedAt",
        ${party('o')} as organisation, d.annulled, e.job_id is not null as imported,
        (select jsonb_build_object('on', h.occurred_on, 'to', h.facts ->> 'handedOverTo') from valid_events h
          where h.case_id = d.case_id and h.facts ->> 'document' = d.event_id::text) as "handedOver"
      from documents d join case_events e on e.id = d.event_id join organisations o on o.id = e.organisation_id
      where d.case_id = ${caseId} order by e.id desc`,
  )
  const identity = (await identitiesOf(tx, rows.length ? [caseId] : [])).get(caseId)
  return rows.map(({ content, textId, ...row }) => {
    const document = { ...row, ...sealedColumns.document.fields(tx.keys, [textId], content) }
    return { ...document, notices: identity ? noticesBy(documentNotices, { document, identity }) : [] }
  })
}
