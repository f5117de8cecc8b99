import { z } from 'zod'
import { Notices } from '../../casefile/zones/contract.ts'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Day, Id, Instant, text, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'
import { CaseAction } from '../../rules/lifecycle/contract.ts'

const Settlement = z.enum(['confirm', 'reject'])

export const Proposal = z
  .object({
    id: Id,
    case: z.object({ id: Id, number: z.string() }),
    action: CaseAction,
    occurredOn: Day.nullable().describe('Null: the day of its confirmation.'),
    facts: z.record(z.string(), z.string()).describe('Codes and dates of the proposed step.'),
    text: z
      .record(z.string(), z.union([z.string(), z.array(z.string())]))
      .describe('Texts of the proposed step, by field.'),
    annuls: Id.nullable(),
    identityVersion: z.int().nullable().describe('The version of the identity that it was made on.'),
    organisation: Party,
    proposedBy: Id,
    proposedAt: Instant,
    expiresOn: Day.describe('The last day on which it can be confirmed.'),
    state: z.enum(['open', 'confirmed', 'rejected', 'expired']),
    settledBy: Id.nullable(),
    settledAt: Instant.nullable(),
    rejection: z.string().nullable(),
    notices: Notices.describe('What contradicts the identity of the person.'),
    allowedDecisions: z.array(Settlement).describe('What you can decide now.'),
    version: Version,
  })
  .meta({ id: 'Proposal' })
export type Proposal = z.infer<typeof Proposal>

export const ProposalQuery = PageQuery.extend({
  state: z.enum(['open', 'confirmed', 'rejected', 'expired']).optional(),
  case: Id.optional(),
  awaiting: z.literal('me').optional().describe('Only proposals that you can confirm.'),
})
export type ProposalQuery = z.output<typeof ProposalQuery>
export const ProposalPage = pageContract('ProposalPage', Proposal)

export const Rejection = z
  .strictObject({ reason: text(2000) })
  .meta({ id: 'Rejection', examples: [{ reason: 'The certificate of the housing office is of another person.' }] })
export type Rejection = z.output<typeof Rejection>
