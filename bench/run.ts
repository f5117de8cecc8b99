// npm run bench: what a request costs, each row beside the bare statement of the same run. Ratios count, not seconds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import autocannon from 'autocannon'
import { readConfig } from '../src/config.ts'
import { Connection, type Endpoint } from '../src/db/connection.ts'
import { Client } from '../src/demo/client.ts'
import { Cluster } from '../src/embedded/cluster.ts'
import { startService } from '../src/start.ts'

const connections = 16
const seconds = Number(process.argv[2] ?? 5)
const dataDir = mkdtempSync(join(tmpdir(), 'qujat-bench-'))
const config = {
  ...readConfig({ PORT: '0', METRICS_PORT: '0', LOG_LEVEL: 'silent', DATA_DIR: dataDir, RATE_LIMIT: '100000000' }),
}

type Row = { workload: string; perSecond: number; p50: number; p99: number; failed: number }

/** The bare statement, as fast as this many connections can ask it. */
async function ceiling(workload: string, endpoint: Endpoint, text: string, values: readonly unknown[]): Promise<Row> {
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  const ask = () =>
    Connection.with(endpoint, async ({ send }) => {
      for (let now = performance.now(); now < end; now = performance.now()) {
        await send(text, values)
        times.push(performance.now() - now)
      }
    })
  await Promise.all(Array.from({ length: connections }, ask))
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0
  return { workload, perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99), failed: 0 }
}

async function workload(
  name: string,
  url: string,
  authorization: string,
  more: Partial<autocannon.Options> = {},
): Promise<Row> {
  const { requests, latency, non2xx, errors } = await autocannon({
    url,
    connections,
    duration: seconds,
    ...more,
    headers: { authorization, ...more.headers },
  })
  return { workload: name, perSecond: requests.average, p50: latency.p50, p99: latency.p99, failed: non2xx + errors }
}

const service = await startService(config)
try {
  const somebody = service.demonstration?.find(({ role }) => role === 'caseworker')
  if (!somebody) throw new Error('nobody to sign in')
  const client = await Client.signIn(service.address, somebody)
  for (let i = 0; i < 200; i++) await client.post('/v1/cases', client.registration())
  const { items } = await client.get<{ items: { id: string }[] }>('/v1/cases?limit=1')
  const id = items[0]?.id ?? ''
  const { cluster } = await Cluster.start(dataDir)
  const superuser = cluster.endpoint('postgres')
  const authorization = `Bearer ${client.token}`
  const key = (request: autocannon.Request) => ({
    ...request,
    headers: { ...request.headers, 'idempotency-key': crypto.randomUUID() },
  })
  const registering: Partial<autocannon.Options> = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    requests: [{ setupRequest: request => key({ ...request, body: JSON.stringify(client.registration()) }) }],
  }
  const rows = [
    await ceiling('bare select of one case', superuser, 'select * from cases where id = $1', [id]),
    await workload('read one case', `${service.address}/v1/cases/${id}`, authorization),
    await ceiling('bare list of 50', superuser, 'select * from cases order by id desc limit 50', []),
    await workload('list 50 cases', `${service.address}/v1/cases?state=registered`, authorization),
    await workload('register a case', `${service.address}/v1/cases`, authorization, registering),
  ]
  console.table(
    Object.fromEntries(
      rows.map(({ workload, perSecond, p50, p99, failed }) => [
        workload,
        { 'req/s': Math.round(perSecond), 'p50 ms': Number(p50.toFixed(2)), 'p99 ms': Number(p99.toFixed(2)), failed },
      ]),
    ),
  )
  const ratio = (one: number, of: number) => ((rows[one]?.perSecond ?? 0) / (rows[of]?.perSecond ?? 1)).toFixed(2)
  console.log(
    `of the bare statement of this run: read ${ratio(1, 0)}, list ${ratio(3, 2)}; ${connections} connections, ${seconds} s each`,
  )
} finally {
  await service.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
