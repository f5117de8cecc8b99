import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import type { Tx } from '../../platform/db/database.ts'
import { pgTable, sql, text, uuid } from '../../platform/db/drizzle.ts'
import { Id } from '../../platform/http/contract.ts'
import { invalid, notFound, Problem } from '../../problem.ts'
import { identitiesOf } from '../zones/queries.ts'
import { noticesBy, relationNotices } from '../zones/rules.ts'
import { type Kind, type NewRelation, Relation } from './contract.ts'
import { inverse } from './policy.ts'

const RelationRow = Relation.omit({ notices: true }).extend({ from_here: z.boolean() })
const OtherRow = z.object({ erased: z.boolean() })
const CaseRow = z.object({ owner_id: Id, erased: z.boolean() })

/** Returns the links of a case, seen from this case, if both cases are open to the caller. */
export async function list(tx: Tx, caseId: string): Promise<Relation[]> {
  await visible(tx, caseId)
  const rows = await tx.rows(
    RelationRow,
    sql`
      select r.id, r.kind, r.case_id = ${caseId} as from_here, jsonb_build_object('id', c.id, 'number', c.number) as "case",
        app.rfc3339(r.made_at) as "madeAt"
      from relations r join cases c on c.id = case when r.case_id = ${caseId} then r.other_id else r.case_id end
      where ${caseId} in (r.case_id, r.other_id) and r.ended_at is null order by r.id`,
  )
  const seen = rows.map(({ from_here, kind, ...row }) => ({ ...row, kind: from_here ? kind : inverse[kind] }))
  const ofBirth = seen.filter(({ kind }) => kind === 'parent' || kind === 'child').map(row => row.case.id)
  const identities = await identitiesOf(tx, ofBirth.length ? [caseId, ...ofBirth] : [])
  const notices = (kind: Kind, other: string) => {
    const [here, there] = [identities.get(caseId), identities.get(other)]
    if (!here || !there || (kind !== 'parent' && kind !== 'child')) return []
    return noticesBy(
      relationNotices,
      kind === 'child' ? { child: there, parent: here } : { child: here, parent: there },
    )
  }
  return seen.map(row => ({ ...row, notices: notices(row.kind, row.case.id) }))
}

/** Returns one link of a case. Throws `not-found` if it has ended, or if one of the cases is not open to the caller. */
export async function find(tx: Tx, caseId: string, id: string): Promise<Relation> {
  const found = (await list(tx, caseId)).find(relation => relation.id === id)
  if (!found) throw notFound()
  return found
}

export const relations = pgTable('relations', {
  id: uuid().notNull(),
  caseId: uuid().notNull(),
  kind: text().notNull(),
  otherId: uuid().notNull(),
})

/** Links a case of the caller's organisation to another case open to it. Returns the id of the link. */
export async function relate(tx: Tx, caseId: string, { kind, caseId: otherId }: NewRelation): Promise<string> {
  await visible(tx, caseId, { own: true })
  const [other] = await tx.rows(OtherRow, sql`select erased_at is not null as erased from cases where id = ${otherId}`)
  if (other?.erased) throw invalid([{ pointer: '#/caseId', detail: 'The file of this case was erased' }])
  if (!other) throw invalid([{ pointer: '#/caseId', detail: 'Not found' }])
  const id = randomUUIDv7()
  await tx.insert(relations).values({ id, caseId, kind, otherId })
  return id
}

/** Ends a link that the caller's organisation made. The row is kept. */
export async function end(tx: Tx, caseId: string, id: string): Promise<null> {
  await find(tx, caseId, id)
  const rows = await tx.execute(sql`
    update relations set ended_at = app.now(), ended_by = app.account()
    where id = ${id} and ended_at is null and organisation_id = app.org() returning id`)
  if (!rows.length) throw new Problem('forbidden', { detail: 'Only the organisation that made the link ends it' })
  return null
}

async function visible(tx: Tx, caseId: string, { own = false } = {}) {
  const [[found], { organisation }] = await Promise.all([
    tx.rows(CaseRow, sql`select owner_id, erased_at is not null as erased from cases where id = ${caseId}`),
    tx.actor,
  ])
  if (!found) throw notFound()
  if (own && found.owner_id !== organisation)
    throw new Problem('forbidden', { detail: 'Only the owner of the case links it to other cases' })
  if (own && found.erased) throw new Problem('file-erased')
}
