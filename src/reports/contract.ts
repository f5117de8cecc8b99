import { z } from 'zod'
import { PageQuery } from '../db/page.ts'
import { Day, Id, Instant, Label } from '../http/contract.ts'

export const Dimension = z.enum(['region', 'outcome', 'category', 'sex', 'ageGroup', 'month', 'division'])
export type Dimension = z.infer<typeof Dimension>

const RegionMap = z.enum(['recorded', 'joined'])

const view = {
  campaignId: Id,
  asOf: Day.optional().describe('What had happened by the end of that day; today by default.'),
  knownAt: Instant.optional().describe('What was on record by that instant; by default all that is settled.'),
  scope: z.literal('mine').default('mine').describe('The cases that stand open to you.'),
  map: RegionMap.default('recorded').describe('Regions as they were on the day, or those that were ever one as one.'),
  groupBy: Dimension.optional(),
}
export const CampaignProgressQuery = z.strictObject(view)
export type CampaignProgressQuery = z.output<typeof CampaignProgressQuery>

export const CampaignCasesQuery = PageQuery.extend({
  ...view,
  group: z.string().max(60).optional().describe('The key of one group; all of them without it.'),
  measure: z.enum(['registered', 'documented']).default('registered'),
})
export type CampaignCasesQuery = z.output<typeof CampaignCasesQuery>

const Figures = {
  registered: z.int(),
  documented: z.int(),
  documentedShare: z.number().nullable().describe('Per cent, two decimals; none of nobody.'),
}

export const CampaignProgress = z
  .object({
    definition: z.object({ id: z.string(), version: z.int(), text: z.string() }),
    asOf: Day,
    knownAt: Instant.describe('What was on record by that instant: ask for it again, and the figures are the same.'),
    scope: z.literal('mine').describe('The cases that stand open to you.'),
    map: RegionMap,
    totals: z.object(Figures),
    groups: z.array(z.object({ key: z.string(), label: Label, ...Figures })),
  })
  .meta({ id: 'CampaignProgress' })
export type CampaignProgress = z.infer<typeof CampaignProgress>
