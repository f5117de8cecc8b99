import { Case } from '../../casefile/cases/contract.ts'
import { sendVersioned } from '../../platform/http/replies.ts'
import type { Outcome } from './contract.ts'

/** The cases and zones that the audit entry of an outcome names. */
export const ofOutcome = {
  cases: ({ case: of }: Outcome) => (of ? [of.id] : []),
  zones: ({ case: of }: Outcome) => Object.keys(of?.person ?? {}),
}

/** Returns the outcome. `ETag` and `Location` are those of its case. */
export function sendOutcome(reply: Parameters<typeof sendVersioned>[0], outcome: Outcome): Outcome {
  if (outcome.case) reply.header('location', `/v1/cases/${sendVersioned(reply, outcome.case, Case).id}`)
  return outcome
}
