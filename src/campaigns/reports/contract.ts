import { z } from 'zod'
import { PageQuery } from '../../platform/db/page.ts'
import { Day, Id, Instant, Label } from '../../platform/http/contract.ts'

export const Dimension = z.enum(['region', 'outcome', 'category', 'sex', 'ageGroup', 'month', 'division'])
export type Dimension = z.infer<typeof Dimension>

export const RegionMap = z.enum(['recorded', 'joined'])

export const Scope = z
  .enum(['mine', 'campaign'])
  .describe(
    [
      'mine: the cases that stand open to you, exactly. campaign: all of the campaign, for whoever organises it, for',
      'coordinators and auditors; totals are exact, groups are told by whole fives, documented and others apart, and',
      'what that leaves is the group other, which holds at least five from at least two groups. No report, and no two of',
      'them, say of one to four persons what they are; that somebody joined a group between two reports may show.',
    ].join(' '),
  )
export type Scope = z.infer<typeof Scope>

const view = {
  campaignId: Id,
  asOf: Day.optional().describe('What had happened by the end of that day; today by default.'),
  knownAt: Instant.optional().describe('What was on record by that instant; by default all that is settled.'),
  map: RegionMap.default('recorded').describe('Regions as they were on the day, or those that were ever one as one.'),
  groupBy: Dimension.optional(),
}
export const CampaignProgressQuery = z.strictObject({ ...view, scope: Scope.default('mine') })
export type CampaignProgressQuery = z.output<typeof CampaignProgressQuery>

export const CampaignCasesQuery = PageQuery.extend({
  ...view,
  scope: z.literal('mine').default('mine').describe('The cases that stand open to you.'),
  group: z.string().max(60).optional().describe('The key of one group; all of them without it.'),
  measure: z.enum(['registered', 'documented']).default('registered'),
})
export type CampaignCasesQuery = z.output<typeof CampaignCasesQuery>

const Figures = {
  registered: z.int(),
  documented: z.int(),
  documentedShare: z.number().nullable().describe('Per cent, two decimals; none of nobody.'),
}

const Definition = z.object({
  id: z.string(),
  version: z.int().describe('Another one when what is counted is another.'),
  text: z.string(),
})

export const CampaignProgress = z
  .object({
    definition: Definition,
    asOf: Day,
    knownAt: Instant.describe('What was on record by that instant: ask for it again, and the figures are the same.'),
    scope: Scope,
    map: RegionMap,
    totals: z.object(Figures).describe('Exact in every scope.'),
    groups: z
      .array(z.object({ key: z.string(), label: Label, ...Figures }))
      .describe('By key; they add up to the totals. What is pooled stands last, as other.'),
  })
  .meta({ id: 'CampaignProgress' })
export type CampaignProgress = z.infer<typeof CampaignProgress>

export const Reports = z
  .object({
    items: z.array(
      z.object({
        name: z.string(),
        definition: Definition,
        scopes: z.array(Scope).describe('Those that you may ask for, of some campaign at least.'),
        maps: z.array(RegionMap),
        groupBy: z.array(Dimension),
      }),
    ),
  })
  .meta({ id: 'Reports' })
export type Reports = z.infer<typeof Reports>
