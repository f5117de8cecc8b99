import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../problem.ts'
import { headersOfReply } from './headers.ts'
import { answerError } from './problems.ts'

/** Milliseconds that the client has to read the reply: a close with unread input would make its system drop it. */
const lingering = 500

/** Errors of Node's parser, and the problems they become; any other one is a request that could not be read. */
const ofNode: Record<string, () => Problem> = {
  ERR_HTTP_REQUEST_TIMEOUT: () => new Problem('request-timeout'),
  HPE_HEADER_OVERFLOW: () => new Problem('headers-too-large'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: () => new Problem('too-large'),
}
const unreadable = () => new Problem('invalid-request', { detail: 'The request could not be read' })

/** The last request of each connection whose headers were read. */
const begun = new WeakMap<Socket, FastifyRequest>()
export const begin = (request: FastifyRequest) => begun.set(request.raw.socket, request)

/**
 * Answers a request that Node could not read, and logs it. If Fastify waits for the rest of its body, it has an id already, and
 * is logged when the connection ends.
 */
export function answerUnread(this: FastifyInstance, { code = '' }: { code?: string }, socket: Socket) {
  if (!socket.writable) return
  const waiting = begun.get(socket)
  const known = waiting?.raw.complete === false
  const id = known ? waiting.id : crypto.randomUUID()
  const problem = (ofNode[code] ?? unreadable)()
  if (!known) this.log.info({ reqId: id, route: 'none', status: problem.details.status, code }, 'request')
  answerAndClose(socket, problem, id)
}

/** Answers a request whose URL no route can take, such as one with `%zz`, and logs it: Fastify calls no hook for it. */
export function answerUnrouted(error: unknown, request: FastifyRequest, reply: FastifyReply) {
  reply.headers(headersOfReply(request.id))
  const { method } = request
  reply.raw.once('close', () => request.log.info({ method, route: 'none', status: reply.statusCode }, 'request'))
  return answerError(error, request, reply)
}

/** Writes a reply past Fastify, and closes the connection: what follows on it cannot be read. */
export function answerAndClose(socket: Socket, { details }: Problem, requestId: string) {
  const body = JSON.stringify({ ...details, requestId })
  const headers = {
    ...headersOfReply(requestId),
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
    date: new Date().toUTCString(),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const start = `HTTP/1.1 ${details.status} ${STATUS_CODES[details.status]}`
  socket.end([start, ...lines, '', body].join('\r\n'))
  setTimeout(() => socket.destroy(), lingering).unref()
}
