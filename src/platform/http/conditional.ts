import type { FastifyRequest } from 'fastify'
import { invalid, Problem } from '../../problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation requires `If-Match`: it changes something that the caller must have read. */
    conditional?: boolean
  }
}

/** Returns the version in `If-Match`; undefined if there is none, or if it cannot be a tag of this service. */
export function versionIn({ headers }: FastifyRequest): number | undefined {
  const [, version] = /^"(\d{1,9})"$/.exec(headers['if-match'] ?? '') ?? []
  return version === undefined ? undefined : Number(version)
}

/** Returns the version in `If-Match`, which the caller read last. Throws `precondition-required` or `invalid-request`. */
export function expectedVersion(request: FastifyRequest): number {
  if (request.headers['if-match'] === undefined) throw new Problem('precondition-required')
  const version = versionIn(request)
  if (version !== undefined) return version
  throw invalid([{ pointer: '#/headers/if-match', detail: 'Expected the ETag as you received it, for example "1"' }])
}
