import { z } from 'zod'

export const CaseState = z
  .enum([
    'registered',
    'assessment',
    'submitted',
    'verification',
    'information_requested',
    'foreign_inquiry',
    'committee_review',
    'decided',
    'documentation',
    'documented',
    'appealed',
    'withdrawn',
    'merged',
    'closed',
  ])
  .meta({ id: 'CaseState' })
export type CaseState = z.infer<typeof CaseState>

export const CaseAction = z
  .enum([
    'register',
    'amend',
    'start_assessment',
    'submit',
    'take_up',
    'accept',
    'decline',
    'recall',
    'expire',
    'return',
    'hand_over',
    'decide',
    'discontinue',
    'open_documentation',
    'record_document',
    'hand_over_document',
    'close',
    'reopen',
    'renew_basis',
    'withdraw',
    'transfer',
    'entrust',
    'annul',
    'import_registered',
    'import_decided',
    'import_documented',
  ])
  .meta({ id: 'CaseAction' })
export type CaseAction = z.infer<typeof CaseAction>

/** Who has to act next. */
export const Waited = z.enum(['owner', 'handler', 'recipient', 'nobody'])
export type Waited = z.infer<typeof Waited>

export const Relation = z.enum([
  'owner',
  'authority',
  'handler',
  'committee',
  'recorder',
  'recipient',
  'custodian',
  'clock',
])
/**
 * What an organisation is to a case. `owner`: it registered the case. `authority`: it registered the case and is an
 * authority. `handler`: it has accepted the case. `committee`: it is the committee above one of these, or is one of
 * them itself. `recorder`: it recorded the event to be annulled. `recipient`: the case is offered to it.
 * `custodian`: it keeps the case of an organisation that has closed, until the person has been asked. `clock`: no
 * organisation; the service takes the step when a term has passed.
 */
export type Relation = z.infer<typeof Relation>

const Step = z
  .object({
    action: CaseAction,
    from: CaseState.nullable().describe('Null: the step makes the case.'),
    to: CaseState,
    by: z.array(Relation),
    byReferral: z.boolean().describe('The step is taken only by offering or deciding a referral.'),
    twoPersons: z.boolean().describe('One account proposes the step, another one confirms it.'),
    condition: z.string().nullable().describe('The name of a further condition.'),
    waitingFor: z.string().nullable().describe('Who has to act after the step; `outcome`: it depends on the outcome.'),
    term: z.string().nullable().describe('The term for it, listed at `/v1/terms`.'),
  })
  .meta({ id: 'LifecycleStep' })

export const Lifecycle = z
  .object({
    states: z.array(z.object({ state: CaseState, final: z.boolean() })),
    steps: z.array(Step),
  })
  .meta({ id: 'Lifecycle' })
export type Lifecycle = z.infer<typeof Lifecycle>
