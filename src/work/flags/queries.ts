import { randomUUIDv7 } from 'node:crypto'
import type { z } from 'zod'
import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { requireReached } from '../../casefile/zones/queries.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { sealed, sealerFor } from '../../platform/db/sealed.ts'
import { invalid, notFound } from '../../problem.ts'
import { faultsOfCodes } from '../../rules/reference/queries.ts'
import { Flag, type NewFlag } from './contract.ts'

const columns = sql`f.id, f.case_id as "caseId", f.kind, ${sealed('f.content')} as content, f.due_on as "dueOn", f.raised_by as "raisedBy",
  app.rfc3339(f.raised_at) as "raisedAt", f.cleared_by as "clearedBy", app.rfc3339(f.cleared_at) as "clearedAt",
  ${sealed('f.clearance')} as clearance, f.version from flags f`

const FlagRow = Flag.omit({ reason: true }).extend({ content: Sealed, clearance: Sealed.nullable() })

const opened =
  ({ keys }: Tx) =>
  ({ content, clearance, ...flag }: z.output<typeof FlagRow>): Flag => ({
    ...flag,
    reason: sealedColumns.flag.open(keys, [flag.id], content).reason,
    clearance: sealedColumns.clearance.fields(keys, [flag.id], clearance).reason,
  })

/** Returns a page of the flags of a case, newest first. */
export async function list(tx: Tx, caseId: string, { cursor, limit }: PageQuery): Promise<Page<Flag>> {
  const [, rows] = await Promise.all([
    requireReached(tx, caseId),
    tx.rows(
      FlagRow,
      sql`
        select ${columns} where f.case_id = ${caseId} and f.id ${olderThan(cursor)}
        order by f.id desc limit ${limit + 1}`,
    ),
  ])
  return pageOf(rows.map(opened(tx)), { limit })
}

export async function find(tx: Tx, id: string): Promise<Flag> {
  const [flag] = (await tx.rows(FlagRow, sql`select ${columns} where f.id = ${id}`)).map(opened(tx))
  if (!flag) throw notFound()
  return flag
}

export async function raise(tx: Tx, caseId: string, { kind, reason, dueOn }: NewFlag): Promise<string> {
  const faults = await faultsOfCodes(tx, [{ at: '#/kind', list: 'flag', code: kind }])
  if (faults.length) throw invalid(faults)
  const id = randomUUIDv7()
  const text = sealedColumns.flag.seal(await sealerFor(tx, { caseId }), [id], { reason })
  const rows = await tx.execute(sql`
    insert into flags (id, case_id, kind, due_on, content)
    select ${id}, c.id, ${kind}, ${dueOn}::date, ${text} from cases c where c.id = ${caseId} returning id`)
  if (!rows.length) throw notFound()
  return id
}

export async function clear(tx: Tx, id: string, version: number, reason: string): Promise<Flag> {
  const text = sealedColumns.clearance.seal(await sealerFor(tx, await find(tx, id)), [id], { reason })
  await tx.execute(sql`select app.clear_flag(${id}, ${version}, ${text})`)
  return find(tx, id)
}
