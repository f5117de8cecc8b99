import helmet from '@fastify/helmet'
import Fastify from 'fastify'

/** The headers that helmet adds, computed once: helmet would compute the same ones for each reply. */
const secure = await secureHeaders()

async function secureHeaders(): Promise<Record<string, string>> {
  const probe = Fastify()
  await probe.register(helmet, {
    contentSecurityPolicy: { directives: { defaultSrc: [`'none'`], frameAncestors: [`'none'`] } },
  })
  probe.get('/', async (_request, reply) => reply.getHeaders())
  const answer = await probe.inject('/')
  await probe.close()
  return answer.json()
}

/** Returns the headers that every reply has. */
export const headersOfReply = (requestId: string): Record<string, string> => ({
  ...secure,
  'x-request-id': requestId,
  'cache-control': 'no-store',
  vary: 'Authorization',
})
