import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem, stale } from '../../problem.ts'
import type { Tx } from '../db/database.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation changes something that the caller must have read: it needs `If-Match`. */
    conditional?: boolean
  }
}

const tagOf = (version: number) => `"${version}"`

/** The version that the caller read last, from `If-Match`. */
export function expectedVersion(request: FastifyRequest): number {
  const given = request.headers['if-match']
  if (given === undefined) throw new Problem('precondition-required')
  const [, version] = /^"(\d{1,9})"$/.exec(given) ?? []
  if (!version) throw stale()
  return Number(version)
}

/** Sends a resource with its version as the `ETag`. */
export function sendVersioned<T extends { version: number }>(reply: FastifyReply, resource: T): T {
  reply.header('etag', tagOf(resource.version))
  return resource
}

/** Changes what the caller has read, if they name its version, and sends it as it is then. */
export async function changeVersioned<T extends { version: number }>(
  request: FastifyRequest,
  reply: FastifyReply,
  change: (tx: Tx, version: number) => Promise<T>,
): Promise<T> {
  const version = expectedVersion(request)
  return sendVersioned(reply, await request.transact(tx => change(tx, version)))
}
