import type { FastifyInstance, FastifyRequest } from 'fastify'
import { invalid, Problem } from '../../problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation requires `If-Match`: it changes something that the caller must have read. */
    conditional?: boolean
  }
}

/**
 * Completes the `ETag` of a reply, and answers 304 to a caller who has the same body already. A tag is the version, which
 * `If-Match` compares, and a hash of the body, which `If-None-Match` compares too: what a caller sees of a case also changes
 * without its version.
 */
export function conditional(app: FastifyInstance) {
  app.addHook('onSend', async ({ method, headers }, reply, payload) => {
    const given = reply.getHeader('etag')
    if (typeof given !== 'string' || typeof payload !== 'string') return payload
    const tag = /-/.test(given) ? given : tagOf(app, Number(given.slice(1, -1)), payload)
    reply.header('etag', tag)
    if (reply.statusCode !== 200 || !has(headers['if-none-match'], tag) || !/^(GET|HEAD)$/.test(method)) return payload
    reply.code(304).removeHeader('content-type')
    return method === 'HEAD' ? payload : null // the length of what HEAD leaves out is that of the body
  })
}

/** Returns a tag. The hash is keyed: a tag in a log reveals nothing about the person. */
export const tagOf = ({ fingerprint }: FastifyInstance, version: number, body: string) =>
  `"${version}-${fingerprint(body).toString('hex', 0, 8)}"`

/** Whether an `If-None-Match` lists the tag. */
const has = (given: string | undefined, tag: string) =>
  given?.trim() === '*' || (given?.match(/"[^"]*"/g)?.includes(tag) ?? false)

/** Returns the version in `If-Match`; undefined if there is none, or if it cannot be a tag of this service. */
export function versionIn({ headers }: FastifyRequest): number | undefined {
  const [, version] = /^"(\d{1,9})(-[\da-f]{16})?"$/.exec(headers['if-match'] ?? '') ?? []
  return version === undefined ? undefined : Number(version)
}

/** Returns the version in `If-Match`, which the caller read last. Throws `precondition-required` or `invalid-request`. */
export function expectedVersion(request: FastifyRequest): number {
  if (request.headers['if-match'] === undefined) throw new Problem('precondition-required')
  const version = versionIn(request)
  if (version !== undefined) return version
  throw invalid([{ pointer: '#/headers/if-match', detail: 'Expected the ETag as you received it, for example "1"' }])
}
