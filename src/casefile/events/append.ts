import { z } from 'zod'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { Id } from '../../platform/http/contract.ts'
import type { CaseAction } from '../../rules/lifecycle/contract.ts'

/** Codes, dates and ids that an event says, by the names that the lifecycle allows it. */
export type Facts = Readonly<Record<string, unknown>>

export type NewEvent = {
  case_id: string
  action: CaseAction
  /** Today when it is not said. */
  occurred_on?: string | undefined
  facts?: Facts
  /** The version of the case that whoever writes it has read. */
  on_version?: number
  /** The proposal that it carries out word for word. */
  proposal_id?: string
}

/** Writes what happened; the database decides whether it may, and folds it into the row. In the order given. */
export const append = (tx: Tx, events: readonly NewEvent[]) =>
  tx.execute(sql`
    insert into case_events (case_id, action, occurred_on, facts, on_version, proposal_id)
    select case_id, action, occurred_on, coalesce(facts, '{}'), on_version, proposal_id from rows from (
      jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
        as (case_id uuid, action text, occurred_on date, facts jsonb, on_version int, proposal_id uuid))
      with ordinality e order by ordinality`)

const EventRow = z.object({ id: Id })

/** The id of the event that was written last. */
export async function lastEvent(tx: Tx, caseId: string): Promise<string> {
  const [event] = await tx.rows(
    EventRow,
    sql`select id from case_events where case_id = ${caseId} order by id desc limit 1`,
  )
  if (!event) throw new Error('case_events returned no row')
  return event.id
}
