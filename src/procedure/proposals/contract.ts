import { z } from 'zod'
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
    occurredOn: Day.nullable().describe('None: the day on which it is confirmed.'),
    facts: z.record(z.string(), z.string()).describe('What it says in codes and dates.'),
    text: z.record(z.string(), z.union([z.string(), z.array(z.string())])).describe('What was typed along with it.'),
    annuls: Id.nullable(),
    identityVersion: z.int().nullable().describe('What was known of the person when it was made.'),
    organisation: Party,
    proposedBy: Id,
    proposedAt: Instant,
    expiresOn: Day.describe('The last day on which it can be confirmed.'),
    state: z.enum(['open', 'confirmed', 'rejected', 'expired']),
    settledBy: Id.nullable(),
    settledAt: Instant.nullable(),
    rejection: z.string().nullable(),
    allowedDecisions: z.array(Settlement).describe('What you may do with it.'),
    version: Version,
  })
  .meta({ id: 'Proposal' })
export type Proposal = z.infer<typeof Proposal>

export const ProposalQuery = PageQuery.extend({
  state: z.enum(['open', 'confirmed', 'rejected', 'expired']).optional(),
  case: Id.optional(),
  awaiting: z.literal('me').optional().describe('Those that wait for your confirmation.'),
})
export type ProposalQuery = z.output<typeof ProposalQuery>
export const ProposalPage = pageContract('ProposalPage', Proposal)

export const Rejection = z
  .strictObject({ reason: text(2000) })
  .meta({ id: 'Rejection', examples: [{ reason: 'The certificate of the housing office is of another person.' }] })
export type Rejection = z.output<typeof Rejection>
