import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import { find as findCase } from '../../casefile/cases/queries.ts'
import { append, lastEvent } from '../../casefile/events/append.ts'
import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { identitiesOf } from '../../casefile/zones/queries.ts'
import { documentNotices, noticesBy } from '../../casefile/zones/rules.ts'
import { party } from '../../people/organisations/queries.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, pageOf } from '../../platform/db/page.ts'
import { sealed, sealerFor } from '../../platform/db/sealed.ts'
import { Id } from '../../platform/http/contract.ts'
import { notFound, Problem, stale } from '../../problem.ts'
import type { ProposedStep } from '../transitions/contract.ts'
import { prepare, refusedWith } from '../transitions/queries.ts'
import { Proposal, type ProposalQuery } from './contract.ts'

const withCurrentState = sql`select p.*, case when p.state = 'open' and p.expires_on < app.today() then 'expired' else p.state end as current_state
  from proposals p`
/** A supervisor of the same organisation or of its committee (the policy of the table checks that). */
const maySettle = sql`(p.current_state = 'open' and app.has_role('supervisor'))`
const mayConfirm = sql`(${maySettle} and app.is_second_person(p.proposed_by, false))`
const unchanged = sql`p.stands_on = app.last_move(p.case_id)`

const columns = sql`p.id, jsonb_build_object('id', c.id, 'number', c.number) as "case", p.action, p.occurred_on as "occurredOn",
  p.facts - '{numberHmac,iinHmac}'::text[] as facts, ${sealed('p.content')} as content, p.annuls, p.identity_version as "identityVersion",
  ${party('o')} as organisation, p.proposed_by as "proposedBy",
  app.rfc3339(p.proposed_at) as "proposedAt", p.expires_on as "expiresOn", p.current_state as state, p.settled_by as "settledBy",
  app.rfc3339(p.settled_at) as "settledAt", ${sealed('p.rejection')} as rejection, p.version,
  array_remove(array[case when ${mayConfirm} and ${unchanged} then 'confirm' end,
    case when ${maySettle} or p.current_state = 'open' and p.proposed_by = app.account() then 'reject' end], null) as "allowedDecisions"
  from (${withCurrentState}) p join cases c on c.id = p.case_id join organisations o on o.id = p.organisation_id`

const ProposalRow = Proposal.omit({ text: true, notices: true }).extend({
  content: Sealed.nullable(),
  rejection: Sealed.nullable(),
})

async function opened(tx: Tx, rows: readonly z.output<typeof ProposalRow>[]): Promise<Proposal[]> {
  const proposals = rows.map(({ content, rejection, ...proposal }) => ({
    ...proposal,
    text: sealedColumns.proposal.open(tx.keys, [proposal.id], content) ?? {},
    rejection: sealedColumns.rejection.fields(tx.keys, [proposal.id], rejection).reason,
  }))
  const identities = await identitiesOf(
    tx,
    proposals.filter(({ text }) => text.iin).map(of => of.case.id),
  )
  return proposals.map(proposal => {
    const [identity, { iin }] = [identities.get(proposal.case.id), proposal.text]
    const document = { iin: typeof iin === 'string' ? iin : undefined }
    return { ...proposal, notices: identity ? noticesBy(documentNotices, { document, identity }) : [] }
  })
}

export async function list(tx: Tx, query: ProposalQuery): Promise<Page<Proposal>> {
  const { state = null, case: caseId = null, awaiting, cursor, limit } = query
  const rows = await tx.rows(
    ProposalRow,
    sql`
      select ${columns} where (${state}::text is null or p.current_state = ${state}) and (${caseId}::uuid is null or p.case_id = ${caseId})
        and ${awaiting ? sql`${mayConfirm} and ${unchanged}` : sql`true`} and p.id ${olderThan(cursor)}
      order by p.id desc limit ${limit + 1}`,
  )
  return pageOf(await opened(tx, rows), { limit })
}

export async function find(tx: Tx, id: string): Promise<Proposal> {
  const [proposal] = await opened(tx, await tx.rows(ProposalRow, sql`select ${columns} where p.id = ${id}`))
  if (!proposal) throw notFound()
  return proposal
}

/** Proposes a step that needs two persons. Returns the id of the proposal. */
export async function propose(tx: Tx, caseId: string, version: number, step: ProposedStep): Promise<string> {
  const { facts, text, annuls = null, found } = await prepare(tx, caseId, version, step, true)
  const id = randomUUIDv7()
  const typed = await sealedColumns.proposal.sealFor(tx, { caseId }, [id], text)
  const proposing = tx.execute(sql`
    insert into proposals (id, case_id, action, occurred_on, facts, content, annuls, on_version)
    values (${id}, ${caseId}, ${step.action}, ${step.occurredOn ?? null}, ${JSON.stringify(facts)}::jsonb,
      ${typed}, ${annuls}, ${version})`)
  await refusedWith(found, proposing)
  return id
}

/** Takes the step exactly as proposed. The database checks whether the caller may. Returns the id of its event. */
export async function confirm(tx: Tx, id: string, version: number): Promise<string> {
  const { case: of, action } = await current(tx, id, version)
  if (action === 'record_document') await requireFreeNumber(tx, id)
  const before = await findCase(tx, of.id)
  const confirming = Promise.all([append(tx, [{ case_id: of.id, action, proposal_id: id }]), lastEvent(tx, of.id)])
  const [, event] = await refusedWith(before, confirming)
  return event
}

const HolderRow = z.object({ holder: Id.nullable() })

/** Throws `already-exists` if the register has the number of the document. The refusal is recorded with the case that has it. */
async function requireFreeNumber(tx: Tx, proposal: string): Promise<void> {
  const [row] = await tx.rows(HolderRow, sql`select app.holder_of_proposed(${proposal}) as holder`)
  if (row?.holder) throw new Problem('already-exists', { concerns: row.holder })
}

export async function reject(tx: Tx, id: string, version: number, reason: string): Promise<Proposal> {
  const proposal = await current(tx, id, version)
  const text = sealedColumns.rejection.seal(await sealerFor(tx, { caseId: proposal.case.id }), [id], { reason })
  await tx.execute(sql`select app.reject_proposal(${id}, ${version}, ${text})`)
  return find(tx, id)
}

async function current(tx: Tx, id: string, version: number): Promise<Proposal> {
  const proposal = await find(tx, id)
  if (proposal.version !== version) throw stale()
  return proposal
}
