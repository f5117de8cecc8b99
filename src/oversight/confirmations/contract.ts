import { z } from 'zod'
import { Zone } from '../../casefile/zones/contract.ts'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Day, Id, Instant, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'
import { ErasedCounts } from '../erasures/contract.ts'

export const AwaitedConfirmation = z
  .object({
    id: Id.describe('Of the erasure, the proposal or the grant.'),
    kind: z.enum(['erasure', 'proposal', 'grant']),
    caseId: Id,
    organisation: Party.describe('The organisation that has no second person for this.'),
    code: z
      .string()
      .describe('The legal basis of the erasure, the action of the proposal, or the purpose of the grant.'),
    reason: z.string().nullable().describe('The code of the reason of a proposal.'),
    zones: z.array(Zone).nullable().describe('The zones that a grant opens.'),
    goes: ErasedCounts.nullable().describe('What an erasure destroys.'),
    askedBy: Id,
    askedAt: Instant,
    expiresOn: Day.nullable(),
    version: Version,
  })
  .meta({ id: 'AwaitedConfirmation' })
export type AwaitedConfirmation = z.infer<typeof AwaitedConfirmation>

export const ConfirmationQuery = PageQuery
export const ConfirmationPage = pageContract('ConfirmationPage', AwaitedConfirmation)
