import { z } from 'zod'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { Id } from '../../platform/http/contract.ts'
import type { CaseAction } from '../../rules/lifecycle/contract.ts'

/** Codes, dates and ids of an event, by the names that the lifecycle allows for its action. */
export type Facts = Readonly<Record<string, unknown>>

export type NewEvent = {
  case_id: string
  action: CaseAction
  /** Default today. */
  occurred_on?: string | undefined
  facts?: Facts
  /** The version of the case that the caller has read. */
  on_version?: number
  /** The proposal that the event carries out, unchanged. */
  proposal_id?: string
}

/** Writes events in the order given. The database checks each one and folds it into the row of its case. */
export const append = (tx: Tx, events: readonly NewEvent[]) =>
  tx.execute(sql`
    insert into case_events (case_id, action, occurred_on, facts, on_version, proposal_id)
    select case_id, action, occurred_on, coalesce(facts, '{}'), on_version, proposal_id from rows from (
      jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
        as (case_id uuid, action text, occurred_on date, facts jsonb, on_version int, proposal_id uuid))
      with ordinality e order by ordinality`)

const EventRow = z.object({ id: Id })

/** Returns the id of the newest event of a case. */
export async function lastEvent(tx: Tx, caseId: string): Promise<string> {
  const [event] = await tx.rows(
    EventRow,
    sql`select id from case_events where case_id = ${caseId} order by id desc limit 1`,
  )
  if (!event) throw new Error('case_events returned no row')
  return event.id
}
