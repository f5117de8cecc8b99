import { z } from 'zod'
import { Case } from '../../casefile/cases/contract.ts'
import { Basis, NewGrant, Purpose } from '../../casefile/grants/contract.ts'
import { Zone } from '../../casefile/zones/contract.ts'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Code, Day, Id, Instant, text, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

export const ReferralKind = z.enum(['submission', 'service', 'transfer', 'hand_over'])
export type ReferralKind = z.infer<typeof ReferralKind>

export const ReferralState = z.enum(['offered', 'accepted', 'declined', 'recalled', 'expired', 'ended'])
export type ReferralState = z.infer<typeof ReferralState>

export const Decision = z.enum(['accept', 'decline', 'recall', 'return', 'done'])
export type Decision = z.infer<typeof Decision>

export const NewReferral = z
  .strictObject({
    kind: ReferralKind.describe(
      'A submission to an authority, a service of another organisation, a transfer to a new owner, or a hand-over to another division.',
    ),
    to: Id.describe('The organisation that the case is offered to.'),
    grant: NewGrant.omit({ to: true })
      .meta({ id: 'ReferralGrant', examples: [] })
      .optional()
      .describe('What the person agreed to share, open from the acceptance on: with a submission or a service.'),
    basis: Basis.optional().describe('What the new owner keeps the file by: with a transfer.'),
    message: text(4000).optional().describe('What the recipient may read before it accepts: name nobody in it.'),
    expiresOn: Day.optional().describe(
      'The last day on which it can be accepted; by default that of the term `referral_offer`.',
    ),
  })
  .meta({
    id: 'NewReferral',
    examples: [
      {
        kind: 'submission',
        to: '0193f0a4-0000-7000-8000-000000000004',
        message: 'Papers of 1992 are with us and can be brought.',
        grant: {
          purpose: 'status_determination',
          zones: ['identity', 'contact'],
          validUntil: '2027-11-23',
          basis: { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1' },
        },
      },
    ],
  })
export type NewReferral = z.output<typeof NewReferral>

export const Referral = z
  .object({
    id: Id,
    kind: ReferralKind,
    from: Party,
    to: Party,
    state: ReferralState,
    caseId: Id.nullable().describe('Once it is accepted, and as long as the case stands open to you.'),
    grantId: Id.nullable().describe('The grant that came with it, likewise.'),
    preview: z
      .object({
        regionCode: z.string(),
        category: z.string(),
        child: z.boolean().describe('The person could be under 18.'),
        zones: z.array(Zone).describe('What would stand open.'),
        purpose: Purpose,
      })
      .describe('As it stood on the day of the offer: all that its recipient sees before accepting.'),
    message: z.string().nullable(),
    offeredAt: Instant,
    offeredBy: Id.nullable().describe('For the organisation that offered it.'),
    expiresOn: Day.describe('The last day on which it can be accepted.'),
    expiresAt: Instant,
    settledAt: Instant.nullable(),
    settledBy: Id.nullable().describe('For the organisation that decided.'),
    reason: z.string().nullable().describe('A code of the list `return_reason`.'),
    note: z.string().nullable(),
    allowedDecisions: z.array(Decision).describe('What you may decide about it now.'),
    version: Version,
  })
  .meta({ id: 'Referral' })
export type Referral = z.infer<typeof Referral>

export const ReferralQuery = PageQuery.extend({
  box: z.enum(['incoming', 'outgoing']).default('incoming'),
  state: ReferralState.optional(),
  kind: ReferralKind.optional(),
})
export type ReferralQuery = z.output<typeof ReferralQuery>
export const ReferralPage = pageContract('ReferralPage', Referral)
export const ReferralBox = ReferralPage.extend({
  counts: z
    .object(Object.fromEntries(ReferralState.options.map(state => [state, z.int()])) as Record<ReferralState, z.ZodInt>)
    .describe('How many of each state there are in this box, counted up to 1,000.'),
}).meta({ id: 'ReferralBox' })
export type ReferralBox = z.infer<typeof ReferralBox>

export const NewDecision = z
  .strictObject({
    decision: Decision,
    reason: Code.optional().describe('A code of the list `return_reason`: to decline or to return.'),
    note: text(2000).optional(),
  })
  .meta({ id: 'ReferralDecision', examples: [{ decision: 'accept' }] })
export type NewDecision = z.output<typeof NewDecision>

/** A referral that was decided about, and its case as it is now. */
export const DecidedReferral = Referral.extend({
  case: Case.nullable().describe('None when it does not stand open to you.'),
}).meta({ id: 'DecidedReferral' })
export type DecidedReferral = z.infer<typeof DecidedReferral>
