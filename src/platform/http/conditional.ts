import type { FastifyRequest } from 'fastify'
import { Problem, stale } from '../../problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation requires `If-Match`: it changes something that the caller must have read. */
    conditional?: boolean
  }
}

/** Returns the version in `If-Match`, which the caller read last. Throws `precondition-required` or `precondition-failed`. */
export function expectedVersion(request: FastifyRequest): number {
  const given = request.headers['if-match']
  if (given === undefined) throw new Problem('precondition-required')
  const [, version] = /^"(\d{1,9})"$/.exec(given) ?? []
  if (!version) throw stale()
  return Number(version)
}
