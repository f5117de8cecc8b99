import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { Ledger } from '../../../src/oversight/erasures/ledger.ts'
import { createKeyFile } from '../../../src/platform/access/keys.ts'
import { patient } from '../../support/patient.ts'
import { register } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, password, registration, type Someone, startService } from '../../support/service.ts'
import { socket } from '../../support/socket.ts'
import { scaled, unhurried, whileMoving } from '../length.ts'

type Response = Awaited<ReturnType<Someone['get']>>

const count = (statuses: number[]) =>
  Object.fromEntries(
    Map.groupBy(statuses, status => status)
      .entries()
      .map(([status, all]) => [status, all.length]),
  )

const fifty = (make: (n: number) => Promise<Response>) => Promise.all(Array.from({ length: 50 }, (_, n) => make(n)))

t.setTimeout(0)

t.test('of 50 changes with the same version one succeeds', async t => {
  const { as } = await startService(t)
  const [asel, dina] = [patient(await as('caseworker', 'sunrise')), patient(await as('supervisor', 'sunrise'))]
  const { id } = await register(asel)
  const steps = await fifty(() =>
    asel.post(
      `/v1/cases/${id}/transitions`,
      { action: 'amend', category: 'no_document', reason: 'x' },
      { ...idempotencyKey(), ...ifMatch(1) },
    ),
  )
  t.same(count(steps.map(({ statusCode }) => statusCode)), { 200: 1, 412: 49 }, 'steps')
  const zones = await fifty(n => asel.put(`/v1/cases/${id}/person/contact`, { instructions: `${n}` }, ifMatch(0)))
  t.same(count(zones.map(({ statusCode }) => statusCode)), { 200: 1, 412: 49 }, 'zones')
  const assignments = await fifty(() => dina.patch(`/v1/cases/${id}`, { assigneeId: dina.account }, ifMatch(2)))
  t.same(count(assignments.map(({ statusCode }) => statusCode)), { 200: 1, 412: 49 }, 'assignments')
})

t.test('50 registrations with the same key make one case, and all replies contain it', async t => {
  const { as, superuser } = await startService(t)
  const asel = patient(await as('caseworker', 'sunrise'))
  const key = idempotencyKey()
  const replies = await fifty(() => asel.post('/v1/cases', registration(), key))
  t.same(count(replies.map(({ statusCode }) => statusCode)), { 201: 50 })
  t.equal(new Set(replies.map(reply => reply.json().id)).size, 1)
  t.same([...(await superuser`select count(*)::int from cases`)], [{ count: 1 }])
})

t.test('paging while others write returns every case once', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const before: string[] = []
  for (let n = 0; n < 30; n++) before.push((await register(asel)).id)
  const seen: string[] = []
  let url: string | undefined = '/v1/cases?limit=4'
  while (url) {
    const reading: Promise<Response> = asel.get(url)
    const [page] = await Promise.all([reading, register(asel)])
    seen.push(...page.json().items.map(({ id }: { id: string }) => id))
    url = /<(.+)>/.exec(String(page.headers.link ?? ''))?.[1]
  }
  t.equal(new Set(seen).size, seen.length, 'none twice')
  t.same(
    before.filter(id => !seen.includes(id)),
    [],
    'none missing',
  )
})

/** Starts the service in a separate process, without the environment variables that tap sets. */
async function start(environment: Record<string, string>) {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, ['src/programs/server.ts'], {
    env: { PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)
  for await (const line of lines) {
    const [, address] = /listening at (http:[^"]+)/.exec(line) ?? []
    if (address) return { child, address, gone: once(child, 'exit') }
  }
  throw new Error('the service did not start')
}

t.test('requests repeated after a kill around the commit make one case for each key', unhurried, t =>
  whileMoving(async moved => {
    const [lives, each] = [scaled(20), 10]
    const { endpoint, superuser } = await startService(t, { alone: false })
    const folder = mkdtempSync(join(tmpdir(), 'qujat-kill-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const keyFile = join(folder, 'keys.json')
    createKeyFile(keyFile)
    Ledger.create(join(folder, 'erasures.jsonl'))
    const environment = {
      DATABASE_URL: `postgres://app@localhost/${endpoint('app').database}?host=${socket}`,
      NODE_COMPILE_CACHE: 'node_modules/.cache/node', // 20 starts
      ...{ KEY_FILE: keyFile, PORT: '0', METRICS_PORT: '0' },
    }
    let service = await start(environment)
    t.teardown(() => service.child.kill('SIGKILL'))
    const post = (path: string, body: object, headers: Record<string, string> = {}) =>
      fetch(service.address + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    const signIn = async () => {
      const signedIn = await post('/v1/sessions', { email: 'asel@sunrise.example', password })
      return (await signedIn.json()) as { accessToken: string }
    }
    let { accessToken } = await signIn()
    const send = (key: string) =>
      post('/v1/cases', registration(), { authorization: `Bearer ${accessToken}`, 'idempotency-key': key })
    const statusOf = (key: string) =>
      send(key).then(
        ({ status }) => status,
        () => 0,
      )
    /** Repeats a request after 503, as a client does: on a slow machine a connection may not be free in time. */
    const statusInTheEnd = async (key: string): Promise<number> => {
      const status = await statusOf(key)
      return status === 503 ? statusInTheEnd(key) : status
    }
    const cases = async () => (await superuser`select count(*)::int as n from cases`)[0]?.n as number
    let [lost, committed] = [0, 0]
    for (let life = 0; life < lives; life++) {
      moved()
      const next = start(environment) // while the current one still runs, to save time
      await send(`${life}-warm`)
      const keys = Array.from({ length: each }, (_, n) => `${life}-${n}`)
      const before = await cases()
      const replies = keys.map(statusOf)
      // Earlier and later into the requests, from before their first statement to after their last reply.
      setTimeout(() => service.child.kill('SIGKILL'), 10 * life)
      const [statuses] = await Promise.all([Promise.all(replies), service.gone])
      service = await next
      ;({ accessToken } = await signIn()) // a token lives shorter than a long run
      lost += statuses.filter(status => status === 0).length
      committed += (await cases()) - before
      t.same(
        await Promise.all(keys.map(statusInTheEnd)),
        keys.map(() => 201),
        `life ${life}`,
      )
    }
    t.comment(
      `${lost} of ${lives * each} replies were lost; ${committed} cases were committed before the requests were repeated`,
    )
    t.same([...(await superuser`select count(*)::int from cases`)], [{ count: lives * (each + 1) }])
    t.ok(lost > 0, 'some replies were lost')
  }),
)
