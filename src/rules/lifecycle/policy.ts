import { type CaseAction, CaseState, type Relation, type Waited } from './contract.ts'

/** What a step requires in addition to state and relation. The function `app.holds` uses the same names. */
export type Condition =
  | 'needs_document'
  | 'needs_no_document_and_final'
  | 'negative_by_committee'
  | 'discontinued'
  | 'not_by_authority'
  | 'not_handed_over'
  | 'owner_is_gone'
  | 'only_imported'
  | 'only_imported_and_needs_document'

export type Step = {
  from: readonly CaseState[] | null
  /** null: the state stays as it is. */
  to: CaseState | null
  by: readonly Relation[]
  /** The step is taken only by offering or deciding a referral of the case. */
  byReferral?: true
  /** One account proposes it, another one confirms it. */
  twoPersons?: true
  condition?: Condition
  /** The facts that an event may have: codes, dates and ids, which are folded into the case. */
  facts?: readonly string[]
  /** The handler of the case after the step. */
  handler?: 'owner' | 'nobody'
  /** Who has to act after the step, and within which term; `outcome`: it depends on the outcome. */
  waitingFor?: Waited | 'outcome'
  term?: string
}

/** A closed case may be reopened; withdrawn and merged cannot be left. */
export const finalStates: readonly CaseState[] = ['closed', 'withdrawn', 'merged']
export const openStates = CaseState.options.filter(state => !finalStates.includes(state))
const inProcedure = ['verification', 'information_requested', 'foreign_inquiry', 'committee_review'] as const

const registration = ['campaign', 'region', 'category', 'causes', 'basis', 'externalHmac']
const finding = ['outcome', 'country', 'legalReference', 'reason']
const document = ['documentType', 'numberHmac', 'iinHmac', 'issuedOn', 'expiresOn']

/** The steps of each action: from which state to which, and by whom. A step from null makes the case. */
export const lifecycle: Record<CaseAction, readonly Step[]> = {
  register: [
    { from: null, to: 'registered', by: ['owner'], facts: registration, waitingFor: 'owner', term: 'start_assessment' },
  ],
  amend: [{ from: openStates, to: null, by: ['owner'], facts: ['region', 'category', 'causes'] }],
  renew_basis: [{ from: openStates, to: null, by: ['owner', 'custodian'], facts: ['basis'] }],
  start_assessment: [{ from: ['registered'], to: 'assessment', by: ['owner'], waitingFor: 'owner' }],
  submit: [
    {
      from: ['registered', 'assessment'],
      to: 'submitted',
      by: ['owner'],
      byReferral: true,
      condition: 'not_by_authority',
      waitingFor: 'recipient',
      term: 'acknowledge_submission',
    },
  ],
  take_up: [
    {
      from: ['assessment'],
      to: 'verification',
      by: ['authority'],
      handler: 'owner',
      waitingFor: 'handler',
      term: 'decide_division',
    },
  ],
  accept: [
    {
      from: ['submitted'],
      to: 'verification',
      by: ['recipient'],
      byReferral: true,
      facts: ['handler'],
      waitingFor: 'handler',
      term: 'decide_division',
    },
  ],
  decline: [
    {
      from: ['submitted'],
      to: 'assessment',
      by: ['recipient'],
      byReferral: true,
      facts: ['reason'],
      waitingFor: 'owner',
    },
  ],
  recall: [{ from: ['submitted'], to: 'assessment', by: ['owner'], byReferral: true, waitingFor: 'owner' }],
  expire: [{ from: ['submitted'], to: 'assessment', by: ['clock'], byReferral: true, waitingFor: 'owner' }],
  return: [
    {
      from: ['verification'],
      to: 'assessment',
      by: ['handler'],
      byReferral: true,
      facts: ['reason'],
      handler: 'nobody',
      waitingFor: 'owner',
    },
  ],
  hand_over: [
    {
      from: ['verification'],
      to: null,
      by: ['recipient'],
      byReferral: true,
      facts: ['handler'],
      waitingFor: 'handler',
      term: 'decide_division',
    },
    // So that a division that closes leaves nothing behind: the term goes on.
    {
      from: ['decided', 'documentation', 'documented'],
      to: null,
      by: ['recipient'],
      byReferral: true,
      facts: ['handler'],
    },
  ],
  decide: [
    {
      from: ['verification', 'committee_review'],
      to: 'decided',
      by: ['handler', 'committee'],
      twoPersons: true,
      condition: 'negative_by_committee',
      facts: finding,
      waitingFor: 'outcome',
    },
  ],
  discontinue: [
    {
      from: [...inProcedure, 'documentation'],
      to: 'decided',
      by: ['handler'],
      twoPersons: true,
      condition: 'discontinued',
      facts: finding,
      waitingFor: 'outcome',
    },
  ],
  open_documentation: [
    {
      from: ['decided'],
      to: 'documentation',
      by: ['handler'],
      condition: 'needs_document',
      waitingFor: 'handler',
      term: 'documentation',
    },
  ],
  record_document: [
    {
      from: ['documentation'],
      to: 'documented',
      by: ['handler'],
      twoPersons: true,
      facts: document,
      waitingFor: 'handler',
      term: 'handover_document',
    },
  ],
  hand_over_document: [
    {
      from: ['documented'],
      to: null,
      by: ['handler'],
      condition: 'not_handed_over',
      facts: ['document', 'handedOverTo'],
      waitingFor: 'owner',
    },
  ],
  close: [
    { from: ['documented'], to: 'closed', by: ['owner'], facts: ['reason'], waitingFor: 'nobody' },
    {
      from: ['registered', 'assessment'],
      to: 'closed',
      by: ['owner'],
      twoPersons: true,
      facts: ['reason'],
      waitingFor: 'nobody',
    },
    {
      from: ['decided'],
      to: 'closed',
      by: ['owner'],
      twoPersons: true,
      condition: 'needs_no_document_and_final',
      facts: ['reason'],
      waitingFor: 'nobody',
    },
  ],
  reopen: [
    { from: ['closed'], to: 'assessment', by: ['owner'], facts: ['basis'], handler: 'nobody', waitingFor: 'owner' },
  ],
  withdraw: [{ from: openStates, to: 'withdrawn', by: ['owner', 'custodian'], waitingFor: 'nobody' }],
  transfer: [{ from: openStates, to: null, by: ['recipient'], byReferral: true, facts: ['owner', 'basis', 'handler'] }],
  entrust: [{ from: openStates, to: null, by: ['clock'], condition: 'owner_is_gone', facts: ['owner', 'basis'] }],
  annul: [{ from: openStates, to: null, by: ['recorder'], twoPersons: true }],
  import_registered: [
    {
      from: null,
      to: 'registered',
      by: ['authority', 'committee'],
      facts: ['owner', ...registration],
      waitingFor: 'owner',
      term: 'start_assessment',
    },
  ],
  import_decided: [
    {
      from: ['registered'],
      to: 'decided',
      by: ['authority', 'committee'],
      condition: 'only_imported',
      facts: ['outcome'],
      handler: 'owner',
      waitingFor: 'outcome',
    },
  ],
  import_documented: [
    {
      from: ['decided'],
      to: 'documented',
      by: ['authority', 'committee'],
      condition: 'only_imported_and_needs_document',
      facts: ['documentType'],
      waitingFor: 'owner',
    },
  ],
}

/** Returns the states from which this action is possible. */
export const statesBefore = (action: CaseAction): CaseState[] => lifecycle[action].flatMap(({ from }) => from ?? [])
