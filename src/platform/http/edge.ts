import type { Server } from 'node:http'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import rateLimit from '@fastify/rate-limit'
import { type FastifyHttpOptions, type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import type { Config } from '../../config.ts'
import { invalid, Problem, tooMany } from '../../problem.ts'
import { notUtf8 } from './contract.ts'
import { headersOfReply } from './headers.ts'
import { decodeJson, refuseRepeatedNames } from './json.ts'
import { mergePatchType } from './merge-patch.ts'
import { networkOf } from './network.ts'
import { answerAndClose, answerUnread, begin } from './unread.ts'

/** Milliseconds that a client may take to send a body, and to send an accepted upload. */
const bodyDeadline = 10_000
const uploadDeadline = 3_600_000
/** How many accounts may share an address without reaching its rate limit: those of one office. */
const accountsPerAddress = 10

declare module 'fastify' {
  interface FastifyRequest {
    /** Removes the time limit for the body of this request. */
    patient(): void
  }
}

/** Options of Fastify. Its own time-outs do not disconnect slow clients: measured, none of 50 in 80 s. */
export const serverOptions = (config: Pick<Config, 'trustedProxies'>) =>
  ({
    bodyLimit: 256 * 1024,
    requestTimeout: uploadDeadline,
    connectionTimeout: 15_000,
    http: { headersTimeout: 8_000, connectionsCheckingInterval: 1_000, requireHostHeader: false }, // refused below
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: config.trustedProxies.length ? config.trustedProxies : false,
    requestIdHeader: false,
    genReqId: () => crypto.randomUUID(),
    clientErrorHandler: answerUnread,
    logController: new LogController({ disableRequestLogging: true }), // http/log.ts writes the one line
    routerOptions: {
      maxParamLength: 200,
      querystringParser: text => Object.fromEntries(grouped(text)),
    },
  }) satisfies FastifyHttpOptions<Server>

/** The parameters of a query, decoded. One that is given more than once is a list. */
function* grouped(text: string): Generator<[string, string | string[]]> {
  const given = Map.groupBy(
    text.split('&').flatMap(part => (part ? [part.split(/=(.*)/s, 2).map(decoded)] : [])),
    ([name = '']) => name,
  )
  for (const [name, pairs] of given) {
    const [value = '', ...more] = pairs.map(([, value = '']) => value)
    yield [name, more.length ? [value, ...more] : value]
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '))
  } catch {
    return notUtf8
  }
}

/** Adds headers, limits and time-outs to every request. */
export async function edge(app: FastifyInstance, { rateLimit: max }: Pick<Config, 'rateLimit'>) {
  await app.register(rateLimit, {
    global: true,
    max: max * accountsPerAddress,
    timeWindow: 60_000,
    enableDraftSpec: true,
    keyGenerator: request => networkOf(request.ip),
    errorResponseBuilder: (_request, { ttl }) => tooMany(Math.ceil(ttl / 1000)),
  })
  const limitAccount = app.createRateLimit({
    max,
    timeWindow: 60_000,
    keyGenerator: request => accountOf(request) ?? networkOf(request.ip),
  })

  app.decorateRequest('patient', () => {})
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headersOfReply(request.id))
    begin(request)
    const { raw } = request
    const timer = setTimeout(() => {
      if (raw.complete !== false) return // an injected request has no connection to close
      if (reply.raw.headersSent) raw.destroy()
      else answerAndClose(raw.socket, new Problem('request-timeout'), request.id)
    }, bodyDeadline).unref()
    request.patient = () => clearTimeout(timer)
    reply.raw.once('close', request.patient)
    if (request.headers.host === undefined && raw.httpVersion === '1.1')
      throw invalid([{ pointer: '#/headers/host', detail: 'Missing: expected the name of the host' }])
  })
  // The body is here. What follows has deadlines of its own.
  app.addHook('preValidation', async request => {
    if (!(request.body instanceof Readable)) request.patient()
  })
  // Node would refuse an expectation that it does not know, without a body; HTTP allows to ignore it.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  // While the service stops, each reply closes its connection: the stop would wait for open ones.
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close')
  })
  app.addHook('preValidation', async (request, reply) => {
    if (!accountOf(request)) return
    const limit = await limitAccount(request)
    if (limit.isAllowed || !limit.isExceeded) return
    reply.header('ratelimit-limit', max).header('ratelimit-remaining', 0)
    throw tooMany(Math.ceil(limit.ttl / 1000))
  })
  // JSON is UTF-8 (RFC 8259), and nothing else is accepted: a decoder would replace other bytes without a word. An empty
  // body is allowed with the content type JSON.
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser(['text/plain', 'application/json'])
  app.addContentTypeParser<Buffer>(
    ['application/json', mergePatchType],
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      if (!body.length) return undefined
      const text = decodeJson(body)
      const value = await promisify(parse)(request, text)
      refuseRepeatedNames(text)
      return value
    },
  )
  app.addHook('preParsing', async ({ headers }) => {
    if (/charset=(?!"?utf-8\b)/i.test(headers['content-type'] ?? '')) throw new Problem('unsupported-media-type')
  })
}

const accountOf = (request: FastifyRequest) => request.claims?.sub
