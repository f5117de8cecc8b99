import { z } from 'zod'
import { Day, Id, Instant, Label } from '../http/contract.ts'

export const CampaignProgressQuery = z.strictObject({
  campaignId: Id,
  asOf: Day.optional().describe('What had happened by the end of that day; today by default.'),
  groupBy: z.enum(['region']).optional(),
})
export type CampaignProgressQuery = z.output<typeof CampaignProgressQuery>

const Figures = {
  registered: z.int(),
  documented: z.int(),
  documentedShare: z.number().nullable().describe('Per cent, two decimals; none of nobody.'),
}

export const CampaignProgress = z
  .object({
    definition: z.object({ id: z.string(), version: z.int(), text: z.string() }),
    asOf: Day,
    knownAt: Instant.describe('What was on record by that instant.'),
    scope: z.literal('mine').describe('The cases that are open to you.'),
    map: z.literal('recorded').describe('Regions as they were on the day.'),
    totals: z.object(Figures),
    groups: z.array(z.object({ key: z.string(), label: Label, ...Figures })),
  })
  .meta({ id: 'CampaignProgress' })
export type CampaignProgress = z.infer<typeof CampaignProgress>
