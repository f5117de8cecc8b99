import { sendVersioned } from '../../platform/http/replies.ts'
import type { Outcome } from './contract.ts'

/** The cases and zones that the audit entry of an outcome names. */
export const ofOutcome = {
  cases: ({ case: of }: Outcome) => (of ? [of.id] : []),
  zones: ({ case: of }: Outcome) => Object.keys(of?.person ?? {}),
}

/** Returns the outcome, and sets the version of the case as the `ETag`. */
export function sendOutcome(reply: Parameters<typeof sendVersioned>[0], outcome: Outcome): Outcome {
  if (outcome.case) sendVersioned(reply, outcome.case)
  return outcome
}
