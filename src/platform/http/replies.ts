// The ends of handlers: each reads, lists, makes or changes something in the transaction of its request, and sends it.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Tx } from '../db/database.ts'
import type { Page } from '../db/page.ts'
import { expectedVersion, tagOf } from './conditional.ts'
import { serialize } from './contract.ts'
import { type Making, makeOnce } from './idempotency.ts'

type Versioned = { version: number }

/** Sends a resource with its `ETag`. `of`: the contract of the resource itself, if the reply contains more than that. */
export function sendVersioned<T extends Versioned>(reply: FastifyReply, resource: T, of?: z.ZodType): T {
  const { version } = resource
  reply.header('etag', of ? tagOf(reply.server, version, serialize(of, resource)) : `"${version}"`)
  return resource
}

/** Sends a page with a `Link` to the next one. */
export function sendPage<P extends Page<unknown>>(request: FastifyRequest, reply: FastifyReply, page: P): P {
  if (page.nextCursor) {
    const next = new URL(request.url, 'http://localhost')
    next.searchParams.set('cursor', page.nextCursor)
    reply.header('link', `<${next.pathname}${next.search}>; rel="next"`)
  }
  return page
}

/** Sends one resource. */
export const readOne = async <T extends Versioned>(
  request: FastifyRequest,
  reply: FastifyReply,
  read: (tx: Tx) => Promise<T>,
): Promise<T> => sendVersioned(reply, await request.transact(read))

/** Sends a page of a list. */
export const readPage = async <P extends Page<unknown>>(
  request: FastifyRequest,
  reply: FastifyReply,
  read: (tx: Tx) => Promise<P>,
): Promise<P> => sendPage(request, reply, await request.transact(read))

/** Makes something at most once for an `Idempotency-Key`, and sends it. */
export const makeOne = async <T extends Versioned>(
  request: FastifyRequest,
  reply: FastifyReply,
  making: Making<T>,
): Promise<T> => sendVersioned(reply, await makeOnce(request, reply, making), making.of)

/** Changes a resource if `If-Match` has its current version, and sends the changed resource. `of`: see {@link sendVersioned}. */
export async function changeOne<T extends Versioned>(
  request: FastifyRequest,
  reply: FastifyReply,
  change: (tx: Tx, version: number) => Promise<T>,
  of?: z.ZodType,
): Promise<T> {
  const version = expectedVersion(request)
  return sendVersioned(reply, await request.transact(tx => change(tx, version)), of)
}

/**
 * Settles something if `If-Match` has its current version, and sends no content: the caller may not be able to read it
 * afterwards.
 */
export async function settleOne(
  request: FastifyRequest,
  reply: FastifyReply,
  settle: (tx: Tx, version: number) => Promise<unknown>,
): Promise<null> {
  const version = expectedVersion(request)
  await request.transact(tx => settle(tx, version))
  reply.code(204)
  return null
}
