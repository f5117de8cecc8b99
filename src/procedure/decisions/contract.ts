import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { Day, Id, Instant } from '../../platform/http/contract.ts'

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
