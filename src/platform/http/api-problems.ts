// The problems of an operation in the API document.
import type { RouteOptions } from 'fastify'
import type { z } from 'zod'
import { type ProblemName, problems } from '../../problems.ts'
import { type Components, type Json, pascal, ref } from './api-components.ts'

/** Problems of every operation: described once, as the response `default`. */
const common: readonly ProblemName[] = [
  'unauthorized',
  'forbidden',
  'second-factor-missing',
  'request-timeout',
  'too-large',
  'unsupported-media-type',
  'too-many-requests',
  'too-many-cases',
  'headers-too-large',
  'internal',
  'unavailable',
]

/** Returns the problems of a route besides the common ones, by what it declares. */
export function possibleProblems(
  method: RouteOptions['method'],
  { params, querystring }: { params?: z.ZodType; querystring?: z.ZodType },
  config: NonNullable<RouteOptions['config']>,
): ProblemName[] {
  const names: ProblemName[] = [...(config.problems ?? [])]
  if (params || querystring || method !== 'GET') names.push('invalid-request')
  if (params) names.push('not-found')
  if (config.idempotency) names.push('idempotency-key-reused')
  if (config.idempotency === 'required') names.push('idempotency-key-required')
  if (config.conditional) names.push('precondition-required', 'precondition-failed')
  return names
}

/** Returns the responses with these problems and the common ones, by status. */
export function problemResponses(names: readonly ProblemName[], components: Components) {
  const own = names.filter(name => !common.includes(name))
  const byStatus = Map.groupBy([...new Set(own)].sort(), name => problems[name].status)
  // A response of its own hides `default` for that status: it must describe the common problems of the status too.
  const named = [...byStatus].map(([status, names]) => {
    const all = [...names, ...common.filter(name => problems[name].status === status)]
    return [status, components.response(all.map(pascal).join('Or'), problemResponse(all))] as const
  })
  return [...named, ['default', components.response('Problem', problemResponse(common, components))] as const]
}

const problemResponse = (names: readonly ProblemName[], components?: Components): Json => ({
  description: names.map(name => `${problems[name].status} \`${name}\`: ${problems[name].title}`).join('; '),
  ...(components && { headers: { 'Retry-After': components.header('Retry-After') } }),
  content: {
    'application/problem+json': {
      schema: {
        allOf: [
          ref('schemas', 'ProblemDetails'),
          { properties: { type: { enum: names.map(name => `/problems/${name}`) } } },
        ],
      },
    },
  },
})
