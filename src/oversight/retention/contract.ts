import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Day, Id, Instant, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const RetentionState = z.enum(['requested', 'approved', 'rejected'])

export const RetentionRun = z
  .object({
    id: Id,
    dueOn: Day.describe('Everything due by this day is erased.'),
    parts: z
      .array(
        z.object({
          organisation: Party.describe('The organisation that holds them.'),
          purpose: z.string().describe('The purpose whose term ended last.'),
          legalReference: z.string(),
          cases: z.int().describe('Number of cases of which it holds something that is due.'),
          done: z.int().describe('Number of them that are erased.'),
        }),
      )
      .describe('Numbers only. Each organisation finds its part at `/v1/erasures` and can reject it.'),
    state: RetentionState,
    requestedBy: Id,
    requestedAt: Instant,
    settledBy: Id.nullable(),
    settledAt: Instant.nullable(),
    version: Version,
  })
  .meta({ id: 'RetentionRun' })
export type RetentionRun = z.infer<typeof RetentionRun>

export const RetentionQuery = PageQuery.extend({ state: RetentionState.optional() })
export type RetentionQuery = z.output<typeof RetentionQuery>
export const RetentionPage = pageContract('RetentionPage', RetentionRun)
