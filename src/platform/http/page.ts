import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Page } from '../db/page.ts'

/** The contract of a page of these. */
export const pageContract = <T extends z.ZodType>(id: string, item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() }).meta({ id })

/** Sends a page with a `Link` to the next one. */
export function sendPage<P extends Page<unknown>>(request: FastifyRequest, reply: FastifyReply, page: P): P {
  if (page.nextCursor) {
    const next = new URL(request.url, 'http://localhost')
    next.searchParams.set('cursor', page.nextCursor)
    reply.header('link', `<${next.pathname}${next.search}>; rel="next"`)
  }
  return page
}
