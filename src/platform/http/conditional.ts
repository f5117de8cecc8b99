import type { FastifyRequest } from 'fastify'
import { Problem, stale } from '../../problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation changes something that the caller must have read: it needs `If-Match`. */
    conditional?: boolean
  }
}

/** The version that the caller read last, from `If-Match`. */
export function expectedVersion(request: FastifyRequest): number {
  const given = request.headers['if-match']
  if (given === undefined) throw new Problem('precondition-required')
  const [, version] = /^"(\d{1,9})"$/.exec(given) ?? []
  if (!version) throw stale()
  return Number(version)
}
