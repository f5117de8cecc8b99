import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, pageOf } from '../../platform/db/page.ts'
import { sealed, sealerFor } from '../../platform/db/sealed.ts'
import { invalid, notFound, Problem } from '../../problem.ts'
import { faultsOfCodes } from '../../rules/reference/queries.ts'
import { Erasure, ErasurePlan, type ErasureQuery, type NewErasure } from './contract.ts'

const columns = sql`e.id, e.case_id as "caseId", e.file as "withFile", e.run_id as "retentionRunId", e.purpose,
  e.legal_basis as "legalBasis", ${sealed('e.content')} as content, e.state, e.requested_by as "requestedBy",
  app.rfc3339(e.requested_at) as "requestedAt", e.settled_by as "settledBy", app.rfc3339(e.settled_at) as "settledAt",
  app.rfc3339(e.done_at) as "doneAt", e.epoch, array_remove(array[
    case when e.state = 'requested' and e.run_id is null and app.has_role('supervisor') and app.is_second_person(e.requested_by, true) then 'approve' end,
    case when e.state = 'requested' and (e.requested_by = app.account() or app.has_role('supervisor')) then 'reject' end], null) as "allowedDecisions",
  e.version from erasures e`

const ErasureRow = Erasure.omit({ reason: true }).extend({ content: Sealed.nullable() })

const opened =
  ({ keys }: Tx) =>
  ({ content, ...erasure }: z.output<typeof ErasureRow>): Erasure => ({
    ...erasure,
    ...sealedColumns.erasure.fields(keys, [erasure.id], content),
  })

const PlanRow = ErasurePlan.extend({ holds: z.boolean() })

/** Returns what an erasure of the caller's organisation would destroy of a case, and what would stay. */
export async function plan(tx: Tx, caseId: string): Promise<ErasurePlan> {
  const [found] = await tx.rows(
    PlanRow,
    sql`
      select ${caseId}::uuid as "caseId", file as "withFile", kept, goes, stays, holds from app.erasure_plan(${caseId})`,
  )
  if (!found?.holds) throw new Problem('nothing-held')
  return found
}

/** Asks to erase what the caller's organisation holds of a case. Returns the id of the erasure. */
export async function request(tx: Tx, caseId: string, { legalBasis, reason }: NewErasure): Promise<string> {
  const faults = await faultsOfCodes(tx, [{ at: '#/legalBasis', list: 'erasure_basis', code: legalBasis }])
  if (faults.length) throw invalid(faults)
  const { kept } = await plan(tx, caseId)
  if (kept) throw new Problem('file-must-stay', { detail: kept })
  const id = randomUUIDv7()
  const text = sealedColumns.erasure.seal(await sealerFor(tx, { caseId }), [id], { reason })
  await tx.execute(sql`select app.request_erasure(${id}, ${caseId}, ${legalBasis}, ${text})`)
  return id
}

/** Returns a page of the erasures of the caller's organisation, newest first. */
export async function list(tx: Tx, { state, cursor, limit }: ErasureQuery): Promise<Page<Erasure>> {
  const rows = await tx.rows(
    ErasureRow,
    sql`
      select ${columns} where (${state ?? null}::text is null or e.state = ${state ?? null}) and e.id ${olderThan(cursor)}
      order by e.id desc limit ${limit + 1}`,
  )
  return pageOf(rows.map(opened(tx)), { limit })
}

export async function find(tx: Tx, id: string): Promise<Erasure> {
  const [erasure] = (await tx.rows(ErasureRow, sql`select ${columns} where e.id = ${id}`)).map(opened(tx))
  if (!erasure) throw notFound()
  return erasure
}

export async function decide(tx: Tx, id: string, version: number, decision: 'approve' | 'reject'): Promise<Erasure> {
  await tx.execute(sql`select app.decide_erasure(${id}, ${version}, ${decision})`)
  return find(tx, id)
}
