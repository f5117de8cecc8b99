import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Day, Id, Instant, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const RetentionState = z.enum(['requested', 'approved', 'rejected'])

export const RetentionRun = z
  .object({
    id: Id,
    dueOn: Day.describe('What is due by then goes.'),
    parts: z
      .array(
        z.object({
          organisation: Party.describe('Who holds them.'),
          purpose: z.string().describe('Whose term ended last.'),
          legalReference: z.string(),
          cases: z.int().describe('Of how many cases it holds something that is due.'),
          done: z.int().describe('Of how many it holds nothing any more.'),
        }),
      )
      .describe('In numbers: whose they are sees them among its erasures, and may refuse.'),
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
