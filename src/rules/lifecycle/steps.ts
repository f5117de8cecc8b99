import { CaseAction, CaseState, type Lifecycle } from './contract.ts'
import { finalStates, lifecycle } from './policy.ts'

/** All steps, each from one state. */
export const steps = CaseAction.options.flatMap(action =>
  lifecycle[action].flatMap(step =>
    (step.from ?? [null]).map(from => ({ ...step, action, from, to: step.to ?? (from as CaseState) })),
  ),
)

/** The same as rows of the database, which checks every event against them. */
export const lifecycleRows = steps.map(
  ({ action, from, to, by, byReferral, twoPersons, condition, facts, ...step }) => ({
    action,
    from_state: from ?? '',
    to_state: to,
    relations: by,
    by_referral: byReferral ?? false,
    two_persons: twoPersons ?? false,
    condition: condition ?? null,
    facts: facts ?? [],
    handler: step.handler ?? null,
    waiting_for: step.waitingFor ?? null,
    term: step.term ?? null,
  }),
)

/** The lifecycle as the API returns it. */
export const publicLifecycle: Lifecycle = {
  states: CaseState.options.map(state => ({ state, final: finalStates.includes(state) })),
  steps: steps.map(({ action, from, to, by, byReferral, twoPersons, condition, waitingFor, term }) => ({
    action,
    from,
    to,
    by: [...by],
    byReferral: byReferral ?? false,
    twoPersons: twoPersons ?? false,
    condition: condition ?? null,
    waitingFor: waitingFor ?? null,
    term: term ?? null,
  })),
}
