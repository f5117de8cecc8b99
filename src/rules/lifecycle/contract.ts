import { z } from 'zod'

export const CaseState = z.enum([
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
export type CaseState = z.infer<typeof CaseState>

export const CaseAction = z.enum([
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
  'withdraw',
  'transfer',
  'annul',
  'import_registered',
  'import_decided',
  'import_documented',
])
export type CaseAction = z.infer<typeof CaseAction>

/** Who is waited for. */
export const Waited = z.enum(['owner', 'handler', 'recipient', 'nobody'])
export type Waited = z.infer<typeof Waited>

export const Relation = z.enum(['owner', 'authority', 'handler', 'committee', 'recorder', 'recipient', 'clock'])
/**
 * What an organisation is to a case: it registered it; it registered it and is an authority; it has the case in its
 * procedure; it stands above one of these or is itself the committee; it recorded the event that is to be annulled; the
 * case is offered to it. The clock is nobody's organisation.
 */
export type Relation = z.infer<typeof Relation>

const Step = z
  .object({
    action: CaseAction,
    from: CaseState.nullable().describe('Null: the step makes the case.'),
    to: CaseState,
    by: z.array(Relation),
    byReferral: z.boolean().describe('The step is taken only by deciding a referral.'),
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
