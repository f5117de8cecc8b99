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

export const CaseAction = z.enum(['register', 'import_registered', 'import_decided', 'import_documented'])
export type CaseAction = z.infer<typeof CaseAction>

/** What an organisation is to a case: it registered it, it has accepted it, or it stands above one of the two. */
export type Relation = 'owner' | 'handler' | 'committee'

type Step = { from: CaseState | null; to: CaseState; by: readonly Relation[] }

/** What may happen to a case, from where to where and by whom; a step from null makes the case. */
export const lifecycle: Record<CaseAction, readonly Step[]> = {
  register: [{ from: null, to: 'registered', by: ['owner'] }],
  import_registered: [{ from: null, to: 'registered', by: ['owner', 'committee'] }],
  import_decided: [{ from: 'registered', to: 'decided', by: ['owner', 'committee'] }],
  import_documented: [{ from: 'decided', to: 'documented', by: ['owner', 'committee'] }],
}

/** The table above as rows of the database, which holds every event to it. */
export const lifecycleRows = CaseAction.options.flatMap(action =>
  lifecycle[action].map(({ from, to, by }) => ({ action, from_state: from ?? '', to_state: to, relations: by })),
)

const imported = (action: CaseAction) => action.startsWith('import_')

/** What a caller who is this to a case may do next by hand. */
export const allowedActions = (state: CaseState, relations: readonly Relation[]): CaseAction[] =>
  CaseAction.options.filter(
    action =>
      !imported(action) &&
      lifecycle[action].some(({ from, by }) => from === state && by.some(r => relations.includes(r))),
  )
