import { z } from 'zod'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { Entry, type EntryQuery, Look } from './contract.ts'
import { inEntries } from './outcomes.ts'

const listOf = (values: readonly string[] | undefined) => sql`${values ? sql.param(values) : null}::text[]`

const EntryRow = z.object({ entry: Entry })

/** Returns a page of the audit entries that match the query, newest first, as they were written. */
export async function entries(tx: Tx, query: EntryQuery): Promise<Page<Entry>> {
  const { account, organisation, case: of, operation, outcome, from, to, cursor, limit } = query
  const rows = await tx.rows(
    EntryRow,
    sql`
      select entry from app.read_entries(${account ?? null}, ${organisation ?? null}, ${of ?? null}, ${listOf(operation)},
        ${listOf(outcome && inEntries(outcome))}, ${from ?? null}, ${to ?? null}, ${cursor ?? null}, ${limit + 1}) entry`,
  )
  return pageOf(
    rows.map(({ entry }) => entry),
    { limit },
  )
}

/** Returns a page of the reads of a case, newest first, for its owner. */
export async function accessLog(tx: Tx, caseId: string, { cursor, limit }: PageQuery): Promise<Page<Look>> {
  const rows = await tx.rows(Look, sql`select * from app.access_log(${caseId}, ${cursor ?? null}, ${limit + 1})`)
  return pageOf(rows, { limit })
}
