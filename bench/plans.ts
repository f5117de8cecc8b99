import { randomUUIDv7 } from 'node:crypto'
import { CaseQuery } from '../src/casefile/cases/contract.ts'
import * as cases from '../src/casefile/cases/queries.ts'
import type { Keys } from '../src/platform/access/keys.ts'
import { permissions } from '../src/platform/access/permissions.ts'
import { Connection } from '../src/platform/db/connection.ts'
import { Database } from '../src/platform/db/database.ts'
import { sql } from '../src/platform/db/drizzle.ts'
import type { Asking } from '../src/platform/http/authenticate.ts'
import { Client } from '../src/programs/demo/client.ts'
import { type Organisation, workerOf } from './organisations.ts'
import type { Service } from './service.ts'

type Plan = {
  'Node Type': string
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: Plan[]
}
/** The buffers that one request touches, in all and by table, and the faults of its plans. */
export type Explained = { request: string; rows: number; buffers: Record<string, number>; faults: string[] }

/** Tables that grow with the cases: nothing may be linear in them. */
const big =
  /^(cases|case_access|case_events|grants|zone_versions|identifiers|decisions|documents|event_texts|proposals)$/
/** Buffers that the scan of a page may touch (or two for each row it returns), and a look-up by key. */
const [ofPage, ofRow] = [60, 6]
const mostRows = 250 // that may be sorted: a page of each of a few states

/** The state of the case that is read, by kind of organisation: such cases are alike at every size. */
const usual = [
  ['ngo', 'assessment'],
  ['division', 'verification'],
  ['committee', 'documented'],
] as const

/** Explains the statements that the service sends, including those in functions: auto_explain sends their plans as notices. */
export async function explain(service: Service, dataDir: string, keys: Keys, organisations: readonly Organisation[]) {
  const plans: Plan[] = []
  const superuser = service.cluster.endpoint('postgres')
  const connection = {
    session_preload_libraries: 'auto_explain',
    'auto_explain.log_min_duration': '0ms',
    'auto_explain.log_analyze': true,
    'auto_explain.log_nested_statements': true,
    'auto_explain.log_buffers': true,
    'auto_explain.log_format': 'json',
    'auto_explain.log_level': 'notice',
    plan_cache_mode: 'force_generic_plan', // as for the role app, with its policies
    jit: 'off',
    role: 'app',
  }
  const onnotice = ({ message = '' }) => void plans.push(JSON.parse(message.slice(message.indexOf('{'))).Plan)
  const db = new Database({ ...superuser, connection, onnotice } as never, keys, { size: 1 })
  const explained: Explained[] = []
  try {
    for (const [kind, state] of usual) {
      const person = workerOf(dataDir, kind, organisations)
      const { token } = await Client.signIn(service.address, person)
      const { sid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
      const offices = sql.param(permissions['cases:read'])
      const asking: Asking = {
        ask: (row, statement) =>
          db.ask(row, statement(sql`${sid}, ${offices}, ${randomUUIDv7()}, 'bench', '{"cases": []}'::jsonb`)),
        keys,
      }
      const explainOne = async (request: string, run: () => Promise<number>) => {
        const rows = await run() // warms the caches
        plans.length = 0
        await run()
        explained.push({
          request: `${request}, as ${kind}`,
          rows,
          buffers: buffersOf(plans),
          faults: plans.flatMap(faultsOf),
        })
      }
      const id = await middleOf(superuser, person.organisation.id, state)
      await explainOne('read one case', async () => Number(Boolean(await cases.read(asking, id))))
      for (const query of ['state=assessment', 'state=documented', 'state=verification&state=registered', 'limit=50'])
        await explainOne(`list ${query}`, async () => {
          const { items } = await cases.list(asking, CaseQuery.parse(Object.fromEntries(grouped(query))))
          return items.length
        })
    }
  } finally {
    await db.close()
  }
  return explained
}

const grouped = (query: string) => {
  const given = new URLSearchParams(query)
  return [...new Set(given.keys())].map(name => [name, given.getAll(name)[1] ? given.getAll(name) : given.get(name)])
}

const middleOf = (
  superuser: Parameters<typeof Connection.with>[0],
  organisation: string,
  state: string,
): Promise<string> =>
  Connection.with(superuser, async ({ send }) => {
    const [row] = await send(
      `select percentile_disc(.5) within group (order by case_id) as id from case_access where organisation_id = $1 and state = $2`,
      [organisation, state],
    )
    return row?.id
  })

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
const inAll = (plan: Plan) => plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
/** Returns the buffers that a node touches itself, without the policies' subplans below it. */
const touched = (plan: Plan) => inAll(plan) - (plan.Plans ?? []).reduce((sum, below) => sum + inAll(below), 0)

function buffersOf(plans: readonly Plan[]): Record<string, number> {
  const buffers: Record<string, number> = { all: 0 }
  for (const node of plans.flatMap(nodesOf)) {
    const table = node['Relation Name']
    if (!table) continue
    buffers.all = (buffers.all ?? 0) + touched(node)
    if (big.test(table)) buffers[table] = (buffers[table] ?? 0) + touched(node)
  }
  return buffers
}

/** Returns the signs of work that grows with the cases, in the ways that have come up unnoticed before (performance.md). */
function faultsOf(plan: Plan): string[] {
  const hashed = /hashed SubPlan/.test(JSON.stringify(plan)) ? ['hashed SubPlan'] : []
  return nodesOf(plan).reduce((faults, node) => {
    const { 'Node Type': type, 'Relation Name': table = '', 'Actual Loops': loops, 'Actual Rows': rows } = node
    if (type === 'Merge Join' || (type === 'Sort' && rows > mostRows)) faults.push(`${type} of ${rows} rows`)
    if (!big.test(table)) return faults
    if (type === 'Seq Scan' || type.startsWith('Bitmap')) faults.push(`${type} on ${table}`)
    const most = Math.max(loops * (rows > 1 ? ofPage : ofRow), ofPage, 2 * loops * rows)
    if (touched(node) > most) faults.push(`${touched(node)} buffers of ${table} in ${loops} loops`)
    return faults
  }, hashed)
}
