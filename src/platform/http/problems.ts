import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { invalid, Problem, stale, tooMany, unavailable } from '../../problem.ts'
import type { ProblemName } from '../../problems.ts'
import { ofDriver } from '../db/database.ts'

/** Answers every error with problem details, and logs those with status 500 and above. */
export function answerProblems(app: FastifyInstance) {
  app.setErrorHandler(answerError)
}

/** Answers an error, also one before routing such as a malformed URL, and writes the audit entry of the refusal. */
export async function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  if (error === request.raw.errored) return leave(request, reply)
  const problem = toProblem(error)
  const refused = await request.entry?.refuse(problem).catch(unavailable)
  return answer(refused ?? problem, request, reply)
}

/** Logs a request whose connection ended before all of it had arrived: nobody waits for a reply, and it is no error of here. */
function leave(request: FastifyRequest, reply: FastifyReply) {
  const { method, routeOptions, claims } = request
  request.log.info(
    { method, route: routeOptions.url ?? 'none', account: claims?.sub },
    'request did not arrive in full',
  )
  return reply.hijack()
}

/** What the log records of an error: never its message, which may contain SQL, parameters or data of the request. */
export type Trace = { name: string; code: string | undefined; stack: string[] }

export const traceOf = (error: unknown): Trace => {
  const { name, code, stack, cause } = error as Error & { code?: string }
  const inner = cause as { code?: string } | undefined
  const frames = (stack ?? '').split('\n').filter(line => /^\s+at /.test(line))
  return { name: name ?? 'Error', code: inner?.code ?? code, stack: frames.slice(0, 8).map(line => line.trim()) }
}

function answer(problem: Problem, request: FastifyRequest, reply: FastifyReply) {
  const { details, retryAfter } = problem
  if (details.status >= 500) request.log.error({ trace: traceOf(problem.cause ?? problem) }, 'request failed')
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  if (details.status === 401) reply.header('www-authenticate', 'Bearer')
  const instance = request.url.split('?')[0]
  return reply
    .code(details.status)
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send({ ...details, instance, requestId: request.id })
}

/** SQLSTATEs and codes of a database that is unreachable, too busy or full: no bug, and a later try may succeed. */
const passing = /^(08|53|57|55P03|40001|40P01|25P0[34])|^CONN|^ECONN|^ENOENT|^CONNECT_TIMEOUT/

/**
 * Messages of PostgreSQL's internal errors (XX000) for a statement whose functions or views were dropped after it was
 * planned: a migration has just created the SQL code again. The next try plans it anew.
 */
const recreated = /^(cache lookup failed for|could not open relation with OID)/

const unknown = (pointer: string) => invalid([{ pointer, detail: 'Not found' }])
const unexpectedRoles = (pointer: string) =>
  invalid([{ pointer, detail: 'Expected roles that exist in this kind of organisation' }])
const wrongRoles = () => unexpectedRoles('#/roles')
const taken = () => new Problem('already-exists')

/** Constraints that a caller can violate. A violation of any other one is an internal error. */
const constraints: Record<string, () => Problem> = {
  accounts_email: taken,
  organisations_short_name: taken,
  cases_external_id: taken,
  documents_number: taken,
  relations_pair: taken,
  zone_versions_pkey: stale,
  proposals_pending: () => new Problem('proposal-pending'),
  referrals_pending: () => new Problem('referral-pending'),
  erasures_pending: () => new Problem('erasure-pending'),
  relations_of_two: () => invalid([{ pointer: '#/caseId', detail: 'Expected another case than this one' }]),
  tasks_assignee: () =>
    invalid([{ pointer: '#/assigneeId', detail: 'Expected an active account of your organisation' }]),
  organisations_parent: () => unknown('#/parentId'),
  coverage_region_code_fkey: () => unknown('#/regions'),
  imports_campaign_id_fkey: () => unknown('#/query/campaignId'),
  cases_campaign_id_fkey: () => unknown('#/campaignId'),
  accounts_roles_check: wrongRoles,
  role_requests_roles_check: wrongRoles,
  organisations_second_factor: () => unexpectedRoles('#/required'),
  campaigns_check: () => invalid([{ pointer: '#/endsOn', detail: 'Expected a day on or after startsOn' }]),
}

/** Errors of Fastify for a wrong request, and the problems they become. */
const ofFastify: Record<string, ProblemName> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
}

type Foreign = Partial<FastifyError> & { constraint_name?: string }

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  const foreign = error as Foreign
  const { code = '', constraint_name = '', message = '' } = ofDriver<Foreign>(error)
  if (passing.test(code) || (code === 'XX000' && recreated.test(message))) return unavailable(error)
  const constraint = constraints[constraint_name]
  if (constraint) return constraint()
  const named = ofFastify[code]
  if (named) return new Problem(named)
  if (foreign.statusCode === 429) return tooMany(1)
  if (code.startsWith('FST_') && foreign.statusCode && foreign.statusCode < 500)
    return new Problem('invalid-request', { detail: 'The request could not be read' })
  if (error instanceof SyntaxError || foreign.statusCode === 400)
    return new Problem('invalid-request', { detail: 'The body is not valid JSON' })
  return new Problem('internal', { cause: error })
}
