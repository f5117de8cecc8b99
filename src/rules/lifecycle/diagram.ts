import type { CaseAction, CaseState } from './contract.ts'
import { finalStates } from './policy.ts'
import { steps } from './steps.ts'

type Arrow = { from: CaseState | '[*]'; to: CaseState; label: string; twoPersons: boolean }

/** Actions from almost every state: their arrows would hide the others, so the documents describe them in words. */
const everywhere: readonly CaseAction[] = ['amend', 'annul', 'renew_basis', 'withdraw', 'transfer', 'entrust']

/** Returns the lifecycle as a Mermaid state diagram. `2p` marks an action that needs two persons. */
export function diagram(): string {
  const arrows = steps
    .filter(({ action }) => !everywhere.includes(action))
    .map(
      ({ action, from, to, twoPersons }): Arrow => ({
        from: from ?? '[*]',
        to,
        label: action,
        twoPersons: twoPersons ?? false,
      }),
    )
  const reached = arrows.filter(({ from }) => from === '[*]' || arrows.some(({ to }) => to === from))
  const lines = [
    ...reached.map(({ from, to, label, twoPersons }) => `  ${from} --> ${to} : ${label}${twoPersons ? ' 2p' : ''}`),
    ...finalStates.filter(state => arrows.some(({ to }) => to === state)).map(state => `  ${state} --> [*]`),
  ]
  return ['stateDiagram-v2', ...lines].join('\n')
}
