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
      '`submission` to an authority, `service` by another organisation, `transfer` to a new owner, `hand_over` to another division.',
    ),
    to: Id.describe('The organisation that the case is offered to.'),
    grant: NewGrant.omit({ to: true })
      .extend({ purpose: Purpose.optional().describe('Default for a submission `status_determination`.') })
      .meta({ id: 'ReferralGrant' })
      .optional()
      .describe('What the person agreed to share. It opens at acceptance. Required for `submission` and `service`.'),
    basis: Basis.optional().describe('The legal basis of the new owner. Required for `transfer`.'),
    message: text(4000).optional().describe('The recipient reads it before accepting. Do not name the person in it.'),
    expiresOn: Day.optional().describe('The last day for acceptance; default from the term `referral_offer`.'),
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
    caseId: Id.nullable().describe('Null until it is accepted, and when the case is not open to you.'),
    grantId: Id.nullable().describe('The grant of the referral; null as for `caseId`.'),
    preview: z
      .object({
        regionCode: z.string(),
        category: z.string(),
        child: z.boolean().describe('The person could be under 18.'),
        zones: z.array(Zone).describe('The zones that open at acceptance.'),
        purpose: Purpose,
      })
      .describe('A snapshot of the day of the offer: all that the recipient sees before accepting.'),
    message: z.string().nullable(),
    offeredAt: Instant,
    offeredBy: Id.nullable().describe('Null for other organisations than the sender.'),
    expiresOn: Day.describe('The last day for acceptance.'),
    expiresAt: Instant,
    settledAt: Instant.nullable(),
    settledBy: Id.nullable().describe('Null for other organisations than the one that decided.'),
    reason: z.string().nullable().describe('A code of the list `return_reason`.'),
    note: z.string().nullable(),
    allowedDecisions: z.array(Decision).describe('What you can decide now.'),
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
    .describe('Number of referrals by state in this box, counted up to 1,000.'),
}).meta({ id: 'ReferralBox', extends: 'ReferralPage' })
export type ReferralBox = z.infer<typeof ReferralBox>

export const NewDecision = z
  .strictObject({
    decision: Decision,
    reason: Code.optional().describe('A code of the list `return_reason`. Required for `decline` and `return`.'),
    note: text(2000).optional(),
  })
  .meta({ id: 'ReferralDecision', examples: [{ decision: 'accept' }] })
export type NewDecision = z.output<typeof NewDecision>

/** A decided referral, and its case as it is now. */
export const DecidedReferral = Referral.extend({
  case: Case.nullable().describe('Null if the case is not open to you.'),
}).meta({ id: 'DecidedReferral', extends: 'Referral' })
export type DecidedReferral = z.infer<typeof DecidedReferral>
