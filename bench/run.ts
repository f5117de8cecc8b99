// npm run bench -- [--cases 100000] [--seconds 5] [--plans]: measures the cost of requests, each compared with the bare
// statement in the same run. Ratios count, not seconds. --plans: only checks that nothing is linear in the caller's cases.
// --reports: only the figures of a campaign, with 100,000 and 1,000,000 cases. --imports: only an import of 10,000 rows and
// of --cases. --erasures: only a retention run over --cases.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { readKeys } from '../src/platform/access/keys.ts'
import { Connection, type Endpoint } from '../src/platform/db/connection.ts'
import { Client } from '../src/programs/demo/client.ts'
import { measureErasures } from './erasures.ts'
import { measureImports } from './imports.ts'
import { loader } from './load.ts'
import { measureOracle } from './oracle.ts'
import { type Organisation, workerOf } from './organisations.ts'
import { explain } from './plans.ts'
import { measureReports } from './reports.ts'
import { startService } from './service.ts'
import { type Row, workloads } from './workloads.ts'

const { values } = parseArgs({
  options: {
    cases: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    plans: { type: 'boolean', default: false },
    reports: { type: 'boolean', default: false },
    imports: { type: 'boolean', default: false },
    erasures: { type: 'boolean', default: false },
  },
})
const usual = values.reports ? 1_000_000 : values.imports ? 500_000 : 100_000
const cases = Number(values.cases ?? usual)
const dataDir = mkdtempSync(join(tmpdir(), 'qujat-bench-'))
const service = await startService(dataDir)
try {
  if (values.reports) await measureReports(service, dataDir, cases)
  else if (values.imports) await measureImports(service, dataDir, cases)
  else if (values.erasures) await measureRetention()
  else await measureRequests()
} finally {
  await service.stop()
  rmSync(dataDir, { recursive: true, force: true })
}

async function measureRetention() {
  const { upTo } = await loader(service.cluster.endpoint('postgres'), readKeys(join(dataDir, 'keys.json')), cases)
  await upTo(cases)
  await settled(service.cluster.endpoint('postgres'))
  await measureErasures(service, dataDir)
}

async function measureRequests() {
  const keys = readKeys(join(dataDir, 'keys.json'))
  const { organisations, upTo } = await loader(service.cluster.endpoint('postgres'), keys, cases)
  const explained = []
  for (const count of [cases / 10, cases]) {
    const begun = performance.now()
    await upTo(count)
    console.log(`${count} cases of 40 organisations after ${seconds(performance.now() - begun)} s`)
    explained.push(await explain(service, dataDir, keys, organisations))
  }
  await settled(service.cluster.endpoint('postgres'))
  showPlans(explained)
  if (!values.plans) {
    const rows: Row[] = []
    for await (const row of workloads(service, dataDir, Number(values.seconds), organisations)) {
      rows.push(row)
      console.log(`${row.workload}: ${Math.round(row.perSecond)} a second`)
    }
    showWorkloads(rows)
    await showOracle(organisations)
    console.log(`memory of the service: ${Math.round(service.memory())} MB`)
  }
}

/** Waits until the background work after the load is done, so that it does not distort the measurements. */
function settled(superuser: Endpoint): Promise<void> {
  return Connection.with(superuser, async ({ send }) => {
    await send('checkpoint')
    const working = () => send(`select from pg_stat_activity where backend_type = 'autovacuum worker'`)
    for (let quiet = 0; quiet < 3; quiet = (await working()).length ? 0 : quiet + 1) await setTimeout(5_000)
  })
}

/** Shows whether the response time reveals what the reply hides. */
async function showOracle(organisations: readonly Organisation[]) {
  const ngo = workerOf(dataDir, 'ngo', organisations)
  const foreign = await Connection.with(service.cluster.endpoint('postgres'), ({ send }) =>
    send('select id from cases where owner_id <> $1 order by random() limit 1000', [ngo.organisation.id]),
  )
  const client = await Client.signIn(service.address, ngo)
  console.table(
    await measureOracle(
      client,
      foreign.map(({ id }) => id),
    ),
  )
}

/** Shows buffers at a tenth of the cases and at all, where an index may have one level more; faults of plans fail the run. */
function showPlans([few = [], many = []]: Awaited<ReturnType<typeof explain>>[]) {
  console.table(
    Object.fromEntries(
      many.map(({ request, rows, buffers, faults }, i) => {
        const before = few[i]?.buffers.all ?? 0
        const grown = rows === few[i]?.rows && (buffers.all ?? 0) > 1.5 * before + 20 ? [`grew from ${before}`] : []
        if (faults.length || grown.length) process.exitCode = 1
        const { all, case_access, cases, ...others } = buffers
        return [
          request,
          {
            rows,
            before,
            all,
            case_access,
            cases,
            others: Object.values(others).reduce((sum, n) => sum + n, 0),
            faults: [...faults, ...grown].join('; '),
          },
        ]
      }),
    ),
  )
}

function showWorkloads(rows: readonly Row[]) {
  console.table(
    Object.fromEntries(
      rows.map(({ workload, ceiling, budget, ...row }) => [
        workload,
        {
          'req/s': Math.round(row.perSecond),
          'p50 ms': round(row.p50),
          'p99 ms': round(row.p99),
          failed: row.failed,
          'of ceiling': ceiling ? round(row.perSecond / ceiling.perSecond) : '',
          budget: budget ?? '',
          'service ms': round(row.service),
          'database ms': round(row.database),
        },
      ]),
    ),
  )
}

function seconds(milliseconds: number) {
  return (milliseconds / 1000).toFixed(1)
}
function round(value: number) {
  return Number(value.toFixed(2))
}
