import { z } from 'zod'

/** Every problem that the service answers with: its name is its type (`/problems/{name}`), and fixes status and title. */
export const problems = {
  'invalid-request': [400, 'The request is not valid'],
  'idempotency-key-required': [400, 'This operation needs an Idempotency-Key'],
  unauthorized: [401, 'Sign in first'],
  'wrong-credentials': [401, 'E-mail or password is wrong'],
  'code-not-valid': [401, 'This enrolment code is not valid'],
  forbidden: [403, 'Your office does not allow this'],
  'same-person': [403, 'Another person has to confirm this'],
  'not-found': [404, 'Not there, or not yours to know'],
  'already-exists': [409, 'This exists already'],
  'last-supervisor': [409, 'An organisation keeps at least one supervisor'],
  'already-enrolled': [409, 'This account has set its password already'],
  'action-not-allowed': [409, 'The state of the case does not allow this'],
  'two-persons-required': [409, 'This step takes two persons: one proposes it, another one confirms it'],
  'proposal-pending': [409, 'Your organisation has a proposal for this case already'],
  'proposal-settled': [409, 'This proposal is settled, or it has expired'],
  'grant-not-revocable': [409, 'This grant does not rest on what the person agreed to'],
  'grant-over': [409, 'This grant is closed, has run out, or was settled already'],
  'referral-pending': [409, 'The case is offered already'],
  'referral-over': [409, 'This referral was decided about, or its offer has expired'],
  'note-struck': [409, 'This note was struck'],
  'task-done': [409, 'This task is done'],
  'task-of-the-system': [409, 'The system set this task, and ends it itself'],
  'flag-cleared': [409, 'This flag was cleared'],
  'file-must-stay': [409, 'This has to be kept for now'],
  'file-erased': [409, 'This file was erased'],
  'nothing-held': [409, 'Your organisation holds nothing of this case'],
  'erasure-pending': [409, 'Your organisation has asked for this already'],
  'erasure-settled': [409, 'This erasure was decided about'],
  'job-over': [409, 'This job is over, or its file is still coming in'],
  'not-settled-yet': [409, 'The record is still being written'],
  'precondition-failed': [412, 'It was changed since you read it'],
  'too-large': [413, 'The request is too large'],
  'unsupported-media-type': [415, 'This type of content is not accepted'],
  'idempotency-key-reused': [422, 'This Idempotency-Key was used with another request'],
  'precondition-required': [428, 'This operation needs If-Match'],
  'too-many-requests': [429, 'Too many requests'],
  internal: [500, 'Something went wrong on our side'],
  unreadable: [500, 'What is kept here does not open: the operator has to look at it'],
  unavailable: [503, 'The service cannot answer right now'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemName = keyof typeof problems

export const isProblemName = (name: string): name is ProblemName => Object.hasOwn(problems, name)

/** Where a fault stands in the request (a JSON pointer), and what is wrong with it; never the value itself. */
export const Fault = z.object({ pointer: z.string(), detail: z.string() })
export type Fault = z.infer<typeof Fault>

/** RFC 9457 problem details. */
export const ProblemDetails = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    requestId: z.string().optional(),
    errors: z.array(Fault).optional(),
    state: z.string().optional().describe('The state that the case is in.'),
    allowedActions: z.array(z.string()).optional().describe('What may be done with it now.'),
  })
  .meta({ id: 'ProblemDetails', description: 'RFC 9457 problem details.' })
export type ProblemDetails = z.infer<typeof ProblemDetails>

type More = Pick<ProblemDetails, 'detail' | 'errors' | 'state' | 'allowedActions'> & {
  retryAfter?: number
  cause?: unknown
}

/** An error that is meant for the caller. Every other error is ours, and stays in the log. */
export class Problem extends Error {
  readonly details: ProblemDetails
  /** Seconds after which it is worth another try. */
  readonly retryAfter: number | undefined
  constructor(name: ProblemName, { retryAfter, cause, ...more }: More = {}) {
    super(name, { cause })
    const [status, title] = problems[name]
    this.details = { type: `/problems/${name}`, title, status, ...more }
    this.retryAfter = retryAfter
  }
}

export const unauthorized = () => new Problem('unauthorized')
export const notFound = () => new Problem('not-found')
export const stale = () => new Problem('precondition-failed')
export const unavailable = (cause?: unknown) => new Problem('unavailable', { retryAfter: 2, cause })
export const tooMany = (retryAfter: number) => new Problem('too-many-requests', { retryAfter })
export const invalid = (errors: Fault[]) => new Problem('invalid-request', { errors })

/** A JSON pointer, as a fragment. */
export const pointer = (path: readonly PropertyKey[]) =>
  `#${path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`

/** Each issue of zod's as a fault with its pointer. zod's messages name types and limits, never what was sent. */
export const faults = ({ issues }: z.ZodError, within: readonly string[] = []): Fault[] =>
  issues.flatMap(issue =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map(key => ({
          pointer: pointer([...within, ...issue.path, key]),
          detail: 'Not a field of this request',
        }))
      : [{ pointer: pointer([...within, ...issue.path]), detail: issue.message }],
  )
