import { z } from 'zod'
import { Day, SentInstant } from '../../platform/http/contract.ts'

export const RegionMap = z.enum(['recorded', 'joined'])

export const Scope = z
  .enum(['mine', 'campaign'])
  .describe(
    [
      '`mine`: the cases that are open to you, exact. `campaign`: all cases of the campaign, for its organiser, for',
      'coordinators and auditors. Totals are exact. Groups are told at the turn of months, in batches of at least ten',
      'persons, and rounded down to multiples of five, documented and others apart; the rest is the group `other`. So no',
      'reports together, and no own cases, show what one person is: docs/figures.md.',
    ].join(' '),
  )
export type Scope = z.infer<typeof Scope>

/** The two times of every report. */
export const times = {
  asOf: Day.optional().describe(
    'Counts what had happened by the end of this day; default today. Groups with scope=campaign: the last day of a month that is over; default the latest.',
  ),
  knownAt: SentInstant.optional().describe(
    'Counts what was on record at this instant; default the latest instant whose figures cannot change. Groups with scope=campaign: the first instant of a month; default the latest.',
  ),
}

/** What a report counts. A change of the definition changes its version. */
export const Definition = z.object({
  id: z.string(),
  version: z.int().describe('Changes when the definition changes.'),
  text: z.string(),
})
export type Definition = z.infer<typeof Definition>

export const Reports = z
  .object({
    items: z.array(
      z.object({
        name: z.string(),
        definition: Definition,
        scopes: z.array(Scope).describe('The scopes that you can ask for, for at least one campaign.'),
        maps: z.array(RegionMap),
        groupBy: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Reports' })
export type Reports = z.infer<typeof Reports>
