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
      .record(z.string(), z.union([z.string(), z.array(z.string())]))
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

const Decision = z
  .object({
    id: Id.describe('The event by which it was taken.'),
    outcome: z.string(),
    polarity: z.enum(['positive', 'neutral', 'negative']),
    country: z.string().nullable().describe('The State, where the outcome speaks of one.'),
    legalReference: z.string().nullable(),
    reason: z.string().nullable().describe('Why the procedure was discontinued.'),
    reasons: z.string().nullable().describe('None of an imported decision.'),
    evidence: z.array(z.string()),
    identityVersion: z.int().nullable().describe('What was known of the person when it was proposed.'),
    decidedOn: Day,
    recordedAt: Instant,
    organisation: Party,
    finalOn: Day.nullable().describe('Until then a negative decision can be appealed.'),
    imported: z.boolean(),
    current: z.boolean().describe('Neither annulled nor superseded by a later one, nor by a new procedure.'),
    annulled: z.boolean(),
  })
  .meta({ id: 'Decision' })
export type Decision = z.infer<typeof Decision>
export const Decisions = z.object({ items: z.array(Decision) }).meta({ id: 'Decisions' })

const IdentityDocument = z
  .object({
    id: Id.describe('The event by which it was recorded.'),
    type: z.string(),
    number: z.string().nullable().describe('Null once it was erased.'),
    issuer: z.string().nullable(),
    iin: z.string().nullable(),
    issuedOn: Day,
    expiresOn: Day.nullable(),
    recordedAt: Instant,
    organisation: Party,
    handedOver: z
      .object({ on: Day, to: z.string().describe('A code of the list `handed_over_to`.') })
      .nullable()
      .describe('None while it waits for the person.'),
    imported: z.boolean(),
    annulled: z.boolean().describe('Recorded by mistake: it does not count.'),
  })
  .meta({ id: 'IdentityDocument' })
export type IdentityDocument = z.infer<typeof IdentityDocument>
export const IdentityDocuments = z.object({ items: z.array(IdentityDocument) }).meta({ id: 'IdentityDocuments' })
