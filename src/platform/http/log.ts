import type { FastifyInstance } from 'fastify'

/** One line a request: method, route pattern, status, milliseconds, ids. Never an address, a URL, a body, or a header. */
export function logRequests(app: FastifyInstance) {
  app.addHook('onResponse', async (request, reply) => {
    request.log.info(
      {
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        account: request.claims?.sub,
      },
      'request',
    )
  })
}

/** What the log records of requests, replies and errors that Fastify or plugins log. */
export const serializers = {
  req: ({ method = '' }: { method?: string }) => ({ method }),
  res: ({ statusCode = 0 }: { statusCode?: number }) => ({ status: statusCode }),
  err: ({ name, code = '' }: Error & { code?: string }) => ({ type: name, message: '', stack: '', code }),
}
