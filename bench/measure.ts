import autocannon from 'autocannon'
import { Connection, type Endpoint } from '../src/platform/db/connection.ts'
import type { Ask } from './ceilings.ts'
import type { Service } from './service.ts'

export const connections = 16
/** Seconds of work before the measurement. */
const warmUp = 3

/** Requests a second, latencies in milliseconds, and milliseconds of CPU time of service and database for one request. */
export type Measured = {
  perSecond: number
  p50: number
  p99: number
  failed: number
  /** For a bare statement: CPU time of the driver. */
  service: number
  database: number
}

/** Measures a bare statement on {@link connections} connections at full speed. */
export const measureAsk = (service: Service, superuser: Endpoint, seconds: number, ask: Ask): Promise<Measured> =>
  measure(
    service,
    seconds,
    async (times, seconds) => {
      const start = performance.now()
      const one = () =>
        Connection.with(superuser, async ({ send }) => {
          for (let now = performance.now(); now < start + seconds * 1000; now = performance.now()) {
            await ask(send)
            times.push(performance.now() - now)
          }
        })
      await Promise.all(Array.from({ length: connections }, one))
      return { seconds: (performance.now() - start) / 1000, failed: 0 }
    },
    true,
  )

/** Measures a request from {@link connections} clients at full speed. */
export const measureRequest = (
  service: Service,
  seconds: number,
  token: string,
  request: Omit<autocannon.Options, 'url'>,
): Promise<Measured> =>
  measure(service, seconds, async (times, seconds) => {
    const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>()
    const options = { url: service.address, connections, duration: seconds, ...request }
    autocannon({ ...options, headers: { authorization: `Bearer ${token}`, ...request.headers } }, (error, result) =>
      error ? reject(error) : resolve(result),
    ).on('response', (_client, _status, _bytes, milliseconds) => times.push(milliseconds))
    const { duration, non2xx, errors } = await promise
    return { seconds: duration, failed: non2xx + errors }
  })

async function measure(
  service: Service,
  wanted: number,
  run: (times: number[], seconds: number) => Promise<{ seconds: number; failed: number }>,
  bare = false,
): Promise<Measured> {
  await run([], warmUp) // each connection plans its statements once, and code is compiled once
  const times: number[] = []
  const [before, own] = [service.used(), process.cpuUsage()]
  const { seconds, failed } = await run(times, wanted)
  const [after, { user, system }] = [service.used(), process.cpuUsage(own)]
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0
  return {
    perSecond: times.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    failed,
    service: (bare ? (user + system) / 1000 : after.service - before.service) / times.length,
    database: (after.database - before.database) / times.length,
  }
}
