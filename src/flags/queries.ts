import { randomUUIDv7 } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { requireReached } from '../cases/queries.ts'
import type { Tx } from '../db/database.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../db/page.ts'
import { invalid, notFound } from '../problem.ts'
import { faultsOfCodes } from '../reference/queries.ts'
import type { Flag, NewFlag } from './contract.ts'

const columns = sql`f.id, f.case_id as "caseId", f.kind, f.content ->> 'reason' as reason, f.due_on as "dueOn", f.raised_by as "raisedBy",
  app.rfc3339(f.raised_at) as "raisedAt", f.cleared_by as "clearedBy", app.rfc3339(f.cleared_at) as "clearedAt",
  f.clearance ->> 'reason' as clearance, f.version from flags f`

/** The flags of a case, the newest first. */
export async function list(tx: Tx, caseId: string, { cursor, limit }: PageQuery): Promise<Page<Flag>> {
  const [, rows] = await Promise.all([
    requireReached(tx, caseId),
    tx.execute<Flag>(sql`
      select ${columns} where f.case_id = ${caseId} and f.id ${olderThan(cursor)}
      order by f.id desc limit ${limit + 1}`),
  ])
  return pageOf(rows, { limit })
}

export async function find(tx: Tx, id: string): Promise<Flag> {
  const [row] = await tx.execute<Flag>(sql`select ${columns} where f.id = ${id}`)
  if (!row) throw notFound()
  return row
}

export async function raise(tx: Tx, caseId: string, { kind, reason, dueOn }: NewFlag): Promise<string> {
  const faults = await faultsOfCodes(tx, [{ at: '#/kind', list: 'flag', code: kind }])
  if (faults.length) throw invalid(faults)
  const id = randomUUIDv7()
  const rows = await tx.execute(sql`
    insert into flags (id, case_id, kind, due_on, content)
    select ${id}, c.id, ${kind}, ${dueOn}::date, ${JSON.stringify({ reason })}::jsonb from cases c where c.id = ${caseId} returning id`)
  if (!rows.length) throw notFound()
  return id
}

export async function clear(tx: Tx, id: string, version: number, reason: string): Promise<Flag> {
  await tx.execute(sql`select app.clear_flag(${id}, ${version}, ${JSON.stringify({ reason })}::jsonb)`)
  return find(tx, id)
}
