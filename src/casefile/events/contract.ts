import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Code, Day, Id, Instant, line } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'
import { CaseAction, CaseState } from '../../rules/lifecycle/contract.ts'
import { Notices } from '../zones/contract.ts'
import { Iin } from '../zones/identity.ts'

/** The facts of an event, in codes. */
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
      .describe('Texts of the event, by field. Only the organisation that recorded it and its committee see them.'),
    accountId: Id.nullable().describe('The account that recorded or confirmed it; null for other organisations.'),
    proposedBy: Id.nullable().describe('The account that proposed it; null for other organisations.'),
    annuls: Id.nullable().describe('The event that was entered by mistake.'),
    annulled: z.boolean(),
    imported: z.boolean(),
  })
  .meta({ id: 'CaseEvent' })
export type CaseEvent = z.infer<typeof CaseEvent>

export const CaseEventQuery = PageQuery
export const CaseEventPage = pageContract('CaseEventPage', CaseEvent)

export const Decision = z
  .object({
    id: Id.describe('The id of its event.'),
    outcome: z.string(),
    polarity: z.enum(['positive', 'neutral', 'negative']),
    country: z.string().nullable().describe('The State that the outcome names, if it names one.'),
    legalReference: z.string().nullable(),
    reason: z.string().nullable().describe('Why the procedure was discontinued.'),
    reasons: z.string().nullable().describe('Null for an imported decision.'),
    evidence: z.array(z.string()),
    identityVersion: z.int().nullable().describe('The version of the identity that the decision was proposed on.'),
    decidedOn: Day,
    recordedAt: Instant,
    organisation: Party,
    finalOn: Day.nullable().describe('A negative decision can be appealed until this day.'),
    imported: z.boolean(),
    current: z
      .boolean()
      .describe('True unless the decision was annulled, or replaced by a later decision or a new procedure.'),
    annulled: z.boolean(),
  })
  .meta({ id: 'Decision' })
export type Decision = z.infer<typeof Decision>
export const Decisions = z.object({ items: z.array(Decision) }).meta({ id: 'Decisions' })

/** The document that the person gets: the API and the import record it. */
export const NewDocument = z
  .strictObject({
    documentType: Code.describe('A code of the list `document_type`.'),
    number: line(60).describe('Unique in the register of one committee.'),
    issuer: line(200).optional(),
    iin: Iin.optional(),
    issuedOn: Day,
    expiresOn: Day.optional(),
  })
  .refine(({ issuedOn, expiresOn = issuedOn }) => expiresOn >= issuedOn, {
    path: ['expiresOn'],
    message: 'Expected a day on or after issuedOn',
  })
export type NewDocument = z.output<typeof NewDocument>

export const IdentityDocument = z
  .object({
    id: Id.describe('The id of its event.'),
    type: z.string(),
    number: z.string().nullable().describe('Null if it was erased.'),
    issuer: z.string().nullable(),
    iin: z.string().nullable(),
    issuedOn: Day,
    expiresOn: Day.nullable(),
    recordedAt: Instant,
    organisation: Party,
    handedOver: z
      .object({ on: Day, to: z.string().describe('A code of the list `handed_over_to`.') })
      .nullable()
      .describe('Null until it is handed over.'),
    imported: z.boolean(),
    annulled: z.boolean().describe('True if it was recorded by mistake.'),
    notices: Notices.describe('What contradicts the identity of the person.'),
  })
  .meta({ id: 'IdentityDocument' })
export type IdentityDocument = z.infer<typeof IdentityDocument>
export const IdentityDocuments = z.object({ items: z.array(IdentityDocument) }).meta({ id: 'IdentityDocuments' })
