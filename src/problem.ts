import { z } from 'zod'
import { type ProblemName, problems } from './problems.ts'

/** One fault of a request: its place (a JSON pointer) and what is wrong; never the value itself. */
export const Fault = z.object({ pointer: z.string(), detail: z.string() })
export type Fault = z.infer<typeof Fault>

/** RFC 9457 problem details. */
export const ProblemDetails = z
  .object({
    type: z.enum(Object.keys(problems).map(name => `/problems/${name}` as const)),
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
  concerns?: string
}

/** An error for the caller. Every other error is internal: the caller gets 500 and the log its trace. */
export class Problem extends Error {
  readonly details: ProblemDetails
  /** Seconds after which the caller may try again. */
  readonly retryAfter: number | undefined
  /** A case, unknown to the caller, that the refusal depends on: for the audit entry only. */
  readonly concerns: string | undefined
  constructor(name: ProblemName, { retryAfter, cause, concerns, ...more }: More = {}) {
    super(name, { cause })
    const { status, title } = problems[name]
    this.details = { type: `/problems/${name}`, title, status, ...more }
    this.retryAfter = retryAfter
    this.concerns = concerns
  }
}

export const unauthorized = () => new Problem('unauthorized')
export const notFound = () => new Problem('not-found')
export const stale = () => new Problem('precondition-failed')
export const unavailable = (cause?: unknown) => new Problem('unavailable', { retryAfter: 2, cause })
export const tooMany = (retryAfter: number) => new Problem('too-many-requests', { retryAfter })
export const invalid = (errors: Fault[]) => new Problem('invalid-request', { errors })

/** Returns a JSON pointer, as a URI fragment. */
export const pointer = (path: readonly PropertyKey[]) =>
  `#${path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')}`

/** Turns each zod issue into a fault with its pointer. Messages name types and limits, never the value that was sent. */
export const faults = ({ issues }: z.ZodError, within: readonly PropertyKey[] = []): Fault[] =>
  issues.flatMap(issue => {
    const at = [...within, ...issue.path]
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map(key => ({ pointer: pointer([...at, key]), detail: issue.message }))
    // Of several forms of a union, the caller means the one whose faults all lie inside it.
    const form = issue.code === 'invalid_union' && issue.errors.find(inner => inner.every(({ path }) => path.length))
    if (form) return faults({ issues: form } as z.ZodError, at)
    return [{ pointer: pointer(at), detail: issue.message }]
  })
