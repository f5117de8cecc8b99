import { CaseAction, type CaseState, type Relation } from './contract.ts'
import type { Condition } from './policy.ts'
import { steps } from './steps.ts'

/** What decides which steps the caller can take on a case. */
export type Position = {
  state: CaseState
  relations: readonly Relation[]
  /** Whether the outcome needs a document; null without an outcome. */
  needsDocument: boolean | null
  /** The outcome can no longer be appealed. */
  final: boolean
  /** A document has not been handed over yet. */
  toHandOver: boolean
}

const conditions: Record<Condition, (position: Position) => boolean> = {
  not_by_authority: ({ relations }) => !relations.includes('authority'),
  needs_document: ({ needsDocument }) => needsDocument === true,
  needs_no_document_and_final: ({ needsDocument, final }) => needsDocument === false && final,
  not_handed_over: ({ toHandOver }) => toHandOver,
  // These depend on the proposed outcome, not on the case.
  negative_by_committee: () => true,
  discontinued: () => true,
  // Only the clock or an import takes these steps.
  owner_is_gone: () => false,
  only_imported: () => false,
  only_imported_and_needs_document: () => false,
}

/** Returns the step of this action from this state for these relations, or undefined if there is none. */
export const stepFor = (action: CaseAction, position: Position) =>
  steps.find(
    step =>
      step.action === action &&
      step.from === position.state &&
      step.by.some(relation => position.relations.includes(relation)) &&
      (!step.condition || conditions[step.condition](position)),
  )

/** Returns the actions that the caller can take next, without those of an import. */
export const allowedActions = (position: Position): CaseAction[] =>
  CaseAction.options.filter(action => !action.startsWith('import_') && stepFor(action, position))
