import { z } from 'zod'
import { Day, Instant } from '../../platform/http/contract.ts'

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

/** The two times that every report looks back from. */
export const times = {
  asOf: Day.optional().describe('What had happened by the end of that day; today by default.'),
  knownAt: Instant.optional().describe('What was on record by that instant; by default all that is settled.'),
}

/** What a report counts: another version where that is something else. */
export const Definition = z.object({
  id: z.string(),
  version: z.int().describe('Another one when what is counted is another.'),
  text: z.string(),
})
export type Definition = z.infer<typeof Definition>

export const Reports = z
  .object({
    items: z.array(
      z.object({
        name: z.string(),
        definition: Definition,
        scopes: z.array(Scope).describe('Those that you may ask for, of some campaign at least.'),
        maps: z.array(RegionMap),
        groupBy: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Reports' })
export type Reports = z.infer<typeof Reports>
