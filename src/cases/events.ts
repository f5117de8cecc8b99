import { sql } from 'drizzle-orm'
import type { Tx } from '../db/database.ts'
import type { Basis } from './contract.ts'
import type { CaseAction } from './policy.ts'

/** What the first event of a case says, in codes, dates and ids. */
export type Registration = {
  owner?: string
  campaign: string | undefined
  region: string
  category: string
  causes: readonly string[]
  basis: Basis
  externalHmac: string | undefined
}

export type NewEvent = {
  case_id: string
  action: CaseAction
  occurred_on: string
  facts: Registration | { outcome?: string; documentType?: string }
  job_id?: string
  line?: number
}

/** Writes what happened; the database decides whether it may, and folds it into the row. In the order given. */
export const append = (tx: Tx, events: readonly NewEvent[]) =>
  tx.execute(sql`
    insert into case_events (id, case_id, action, occurred_on, facts, job_id, line)
    select uuidv7(), case_id, action, occurred_on, facts, job_id, line from rows from (
      jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
        as (case_id uuid, action text, occurred_on date, facts jsonb, job_id uuid, line int)) with ordinality e order by ordinality`)
