import { createServer } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Config } from '../../config.ts'
import type { Database } from '../db/database.ts'

/** Measures requests by method, route pattern and status: no ids and no personal data. */
export function measure(app: FastifyInstance, db: Database): Registry {
  const registers = [new Registry()] as const
  collectDefaultMetrics({ register: registers[0] })
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer a request.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [...registers],
  })
  new Gauge({
    name: 'database_connections',
    help: 'Database connections by state, and requests that wait for one.',
    labelNames: ['state'],
    registers: [...registers],
    collect() {
      for (const [state, count] of Object.entries(db.counts)) this.set({ state }, count)
    },
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    seconds.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
  })
  return registers[0]
}

/** Serves the metrics on an address and port of their own. Returns a function that stops it. */
export async function serveMetrics(registry: Registry, config: Pick<Config, 'metricsHost' | 'metricsPort'>) {
  const server = createServer(async ({ url }, response) => {
    if (url !== '/metrics') return response.writeHead(404).end()
    return response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics())
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(config.metricsPort, config.metricsHost, resolve)
  await promise
  return () => new Promise<void>(done => void server.close(() => done()))
}
