import { party } from '../../people/organisations/queries.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { notFound } from '../../problem.ts'
import { AwaitedConfirmation } from './contract.ts'

const columns = sql`w.id, w.kind, w.case_id as "caseId", ${party('o')} as organisation, w.code, w.reason, w.zones::text[] as zones, w.goes,
  w.asked_by as "askedBy", app.rfc3339(w.asked_at) as "askedAt", w.expires_on as "expiresOn", w.version
  from app.awaited_confirmations() w join organisations o on o.id = w.organisation_id`

/** Returns a page of what waits for the caller as the second person of other organisations, newest first. */
export async function list(tx: Tx, { cursor, limit }: PageQuery): Promise<Page<AwaitedConfirmation>> {
  const rows = await tx.rows(
    AwaitedConfirmation,
    sql`select ${columns} where w.id ${olderThan(cursor)} order by w.id desc limit ${limit + 1}`,
  )
  return pageOf(rows, { limit })
}

/** Confirms one of these, and returns it as it was before. */
export async function confirm(tx: Tx, id: string, version: number): Promise<AwaitedConfirmation> {
  const [awaited] = await tx.rows(AwaitedConfirmation, sql`select ${columns} where w.id = ${id}`)
  if (!awaited) throw notFound()
  await tx.execute(sql`select app.confirm_for_another(${id}, ${version})`)
  return awaited
}
