import type { FastifyInstance } from 'fastify'
import { notFound, Problem } from '../../problem.ts'

/**
 * Answers `OPTIONS`, and refuses a method that a path does not have, and an unknown path. All three look at the pattern of the
 * path only: no body is read, nobody is asked for a token, and the reply does not depend on what there is.
 */
export function methods(app: FastifyInstance) {
  const served = new Map<string, string[]>()
  app.addHook('onRoute', ({ method, url }) => {
    served.set(url, [...(served.get(url) ?? []), String(method)])
  })
  const found = (url: string) => app.supportedMethods.filter(method => app.findRoute({ method, url }))
  app.addHook('onRequest', async ({ method, url, is404 }, reply) => {
    // A path without parameters, such as /v1/cases/search, has its own methods only, not those of /v1/cases/:id.
    const own = served.get(url.split('?')[0] ?? '') ?? (is404 ? found(url) : [method])
    if (own.includes(method)) return
    if (!own.length) throw notFound()
    reply.header('allow', [...own, 'OPTIONS'].sort().join(', '))
    if (method !== 'OPTIONS') throw new Problem('method-not-allowed')
    return reply.code(204).send()
  })
}
