import type { FastifyInstance } from 'fastify'
import { Problem } from '../../problem.ts'

/**
 * Refuses content that is not JSON, and all content where the operation takes none. Without content, its type does not
 * matter: some clients send one with every request.
 */
export function content(app: FastifyInstance) {
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, body, done) =>
    body === '' ? done(null, undefined) : done(new Problem('unsupported-media-type')),
  )
  app.addHook('preValidation', async ({ body, routeOptions: { schema } }) => {
    if (schema?.body || body === undefined) return
    if (JSON.stringify(body) === '{}') return // what some clients send for nothing
    throw new Problem('unsupported-media-type', { detail: 'This operation takes no body' })
  })
}
