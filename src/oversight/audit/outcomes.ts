import { type ProblemName, problems } from '../../problems.ts'

const names = Object.keys(problems) as ProblemName[]

/** The outcomes that stand for several: by the status of the problem in the reply. */
const groups = {
  refused: names.filter(name => problems[name].status < 500),
  failed: names.filter(name => problems[name].status >= 500),
}
type Group = keyof typeof groups

/** What an auditor may ask for: `done`, a group, or one problem. */
export const outcomes = ['done', ...(Object.keys(groups) as Group[]), ...names] as const
export type Outcome = (typeof outcomes)[number]

/** Returns the outcomes as the entries have them. */
export const inEntries = (asked: readonly Outcome[]): string[] =>
  asked.flatMap(outcome => (outcome in groups ? groups[outcome as Group] : [outcome]))
