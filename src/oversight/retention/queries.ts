import { randomUUIDv7 } from 'node:crypto'
import { party } from '../../people/organisations/queries.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, pageOf } from '../../platform/db/page.ts'
import { notFound } from '../../problem.ts'
import { type RetentionQuery, RetentionRun } from './contract.ts'

const columns = sql`r.id, r.due_on as "dueOn", r.state, r.requested_by as "requestedBy", app.rfc3339(r.requested_at) as "requestedAt",
  r.settled_by as "settledBy", app.rfc3339(r.settled_at) as "settledAt", r.version,
  coalesce((select jsonb_agg(jsonb_build_object('organisation', ${party('o')}, 'purpose', p.purpose, 'cases', p.parts, 'done', p.done,
      'legalReference', rule.legal_reference) order by o.name, p.purpose)
    from app.retention_parts(r.id) p join organisations o on o.id = p.holder_id
      join retention_rules rule on rule.purpose = p.purpose and rule.kind = o.kind), '[]') as parts
  from retention_runs r`

/** Asks to erase everything that is due today. Returns the id of the run. */
export async function start(tx: Tx): Promise<string> {
  const id = randomUUIDv7()
  await tx.execute(sql`select app.start_retention(${id})`)
  return id
}

export async function list(tx: Tx, { state, cursor, limit }: RetentionQuery): Promise<Page<RetentionRun>> {
  const rows = await tx.rows(
    RetentionRun,
    sql`
      select ${columns} where (${state ?? null}::text is null or r.state = ${state ?? null}) and r.id ${olderThan(cursor)}
      order by r.id desc limit ${limit + 1}`,
  )
  return pageOf(rows, { limit })
}

export async function find(tx: Tx, id: string): Promise<RetentionRun> {
  const [run] = await tx.rows(RetentionRun, sql`select ${columns} where r.id = ${id}`)
  if (!run) throw notFound()
  return run
}

export async function decide(
  tx: Tx,
  id: string,
  version: number,
  decision: 'approve' | 'reject',
): Promise<RetentionRun> {
  await tx.execute(sql`select app.decide_retention(${id}, ${version}, ${decision})`)
  return find(tx, id)
}
