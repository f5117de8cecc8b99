import { CaseAction, type CaseState, type Relation } from './contract.ts'
import type { Condition } from './policy.ts'
import { steps } from './steps.ts'

/** Where a case stands for the one who is looking at it. */
export type Standing = {
  state: CaseState
  relations: readonly Relation[]
  /** The outcome needs a document; none without an outcome. */
  needsDocument: boolean | null
  /** No appeal can change the outcome any more. */
  final: boolean
  /** A document waits for its person. */
  toHandOver: boolean
}

const conditions: Record<Condition, (standing: Standing) => boolean> = {
  not_by_authority: ({ relations }) => !relations.includes('authority'),
  needs_document: ({ needsDocument }) => needsDocument === true,
  needs_no_document_and_final: ({ needsDocument, final }) => needsDocument === false && final,
  not_handed_over: ({ toHandOver }) => toHandOver,
  // Of the outcome that is proposed, not of the case.
  negative_by_committee: () => true,
  discontinued: () => true,
  // Nobody does these by hand.
  only_imported: () => false,
  only_imported_and_needs_document: () => false,
}

/** The step that this action is from here, for whoever stands so to the case; undefined when it is none. */
export const stepFor = (action: CaseAction, standing: Standing) =>
  steps.find(
    step =>
      step.action === action &&
      step.from === standing.state &&
      step.by.some(relation => standing.relations.includes(relation)) &&
      (!step.condition || conditions[step.condition](standing)),
  )

/** What may be done next by hand. */
export const allowedActions = (standing: Standing): CaseAction[] =>
  CaseAction.options.filter(action => !action.startsWith('import_') && stepFor(action, standing))
