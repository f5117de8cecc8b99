import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Day, Id, Instant } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'
import { CaseAction, CaseState } from '../../rules/lifecycle/contract.ts'

/** What an event said, in codes. */
const Facts = z
  .object({
    regionCode: z.string(),
    category: z.string(),
    causes: z.array(z.string()),
    outcome: z.string(),
    country: z.string(),
    legalReference: z.string(),
    reason: z.string(),
    documentType: z.string(),
    handedOverTo: z.string(),
  })
  .partial()

export const CaseEvent = z
  .object({
    id: Id,
    action: CaseAction,
    fromState: CaseState.nullable(),
    toState: CaseState,
    occurredOn: Day,
    recordedAt: Instant,
    organisation: Party,
    facts: Facts,
    text: z
      .record(z.string(), z.string())
      .nullable()
      .describe('What was typed along with it: for your own organisation, and the committee above it.'),
    accountId: Id.nullable().describe('Who recorded it, or confirmed it: for your own organisation.'),
    proposedBy: Id.nullable().describe('Who proposed it: for your own organisation.'),
    annuls: Id.nullable().describe('The event that was entered by mistake.'),
    annulled: z.boolean(),
    imported: z.boolean(),
  })
  .meta({ id: 'CaseEvent' })
export type CaseEvent = z.infer<typeof CaseEvent>

export const CaseEventQuery = PageQuery
export const CaseEventPage = pageContract('CaseEventPage', CaseEvent)
