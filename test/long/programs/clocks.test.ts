// Processes of one database whose clocks are an hour and two days off, both ways.
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { readKeys } from '../../../src/platform/access/keys.ts'
import { seedDemonstration } from '../../../src/programs/demonstration-accounts.ts'
import { folder, freePort, run } from '../../programs/start/program.ts'
import { password, passwordHash, startDatabase } from '../../support/service.ts'
import { socket } from '../../support/socket.ts'

const [hour, day] = [3_600_000, 86_400_000]
const shifts = [hour, -hour, 2 * day, -2 * day]
type Tokens = { accessToken: string; refreshToken: string }

/** Sends a request from an address of this machine; returns status and body. */
const send = (
  url: string,
  {
    method = 'GET',
    token = '',
    body,
    from = '127.0.0.1',
  }: { method?: string; token?: string; body?: object; from?: string } = {},
): Promise<{ status: number; body: Record<string, unknown> }> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
    const sent = request(url, { method, headers, localAddress: from }, response => {
      let text = ''
      response.on('data', chunk => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text ? JSON.parse(text) : {} }))
    })
    sent.on('error', reject).end(body && JSON.stringify(body))
  })

t.test('nobody is locked out, and nothing lasts longer, because the clock of a process is wrong', async t => {
  const { endpoint, owner } = await startDatabase(t)
  const KEY_FILE = join(folder(), 'keys.json')
  await run('src/programs/admin.ts', { KEY_FILE }, ['create-key-file']).ended
  await seedDemonstration(endpoint('owner'), password, passwordHash, readKeys(KEY_FILE))
  const DATABASE_URL = `postgres://app@localhost/${endpoint('app').database}?host=${encodeURIComponent(socket)}`
  const started = async (SHIFT: number) => {
    const [PORT, METRICS_PORT] = [await freePort(), await freePort()]
    const environment = { DATABASE_URL, KEY_FILE, PORT, METRICS_PORT, SHIFT: String(SHIFT) }
    const { child, ended, output } = run('test/support/shifted-server.ts', environment)
    const address = `http://127.0.0.1:${PORT}`
    for (let left = 600; left && !(await send(`${address}/health/live`).catch(() => undefined)); left--) await wait(100)
    return { address, child, ended, output, shift: SHIFT }
  }
  const right = await started(0)
  const signIn = async ({ address }: { address: string }) =>
    (await send(`${address}/v1/sessions`, { method: 'POST', body: { email: 'asel@sunrise.example', password } }))
      .body as Tokens
  const me = async ({ address }: { address: string }, { accessToken: token }: Tokens, from?: string) =>
    (await send(`${address}/v1/me`, { token, ...(from && { from }) })).status
  const refresh = ({ address }: { address: string }, { refreshToken }: Tokens, from = '127.0.0.1') =>
    send(`${address}/v1/sessions/refresh`, { method: 'POST', body: { refreshToken }, from })

  // Two offers: one is over by the clock of the database, one is not.
  const caseworker = await signIn(right)
  const division = (await owner`select organisation_id as id from coverage where region_code = 'KZ-75' limit 1`)[0]?.id
  const offered = async () => {
    const post = (path: string, body: object, more: Record<string, string> = {}) =>
      fetch(right.address + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${caseworker.accessToken}`,
          'content-type': 'application/json',
          'idempotency-key': crypto.randomUUID(),
          ...more,
        },
        body: JSON.stringify(body),
      }).then(async response => (await response.json()) as { id: string })
    const basis = { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1' }
    const made = await post('/v1/cases', {
      ...{ regionCode: 'KZ-75', registeredOn: '2021-03-04', category: 'no_document', basis },
      person: { identity: { names: 'unknown', sex: 'female', birth: { precision: 'year', year: 1958 } } },
    })
    await post(`/v1/cases/${made.id}/transitions`, { action: 'start_assessment' }, { 'if-match': '"1"' })
    const grant = { purpose: 'status_determination', zones: ['identity'], validUntil: '2031-01-01', basis }
    const referral = { kind: 'submission', to: division, grant }
    return (await post(`/v1/cases/${made.id}/referrals`, referral, { 'if-match': '"2"' })).id
  }
  const stateOf = async (id: string) =>
    (await owner.begin(async sql => {
      const [row] = await sql`select state from referrals where id = ${id}`
      return row?.state
    })) as string
  const [open, over] = [await offered(), await offered()]
  t.ok(open && over)

  const processes = await Promise.all(shifts.map(started))
  t.equal(await stateOf(open), 'offered', 'no process ends an offer before its time')
  for (const process of processes) {
    const about = `${process.shift / hour} hours`
    const [here, there] = [await signIn(process), await signIn(right)]
    for (const tokens of [here, there]) {
      t.equal(await me(process, tokens), 200, `${about}: at the process`)
      t.equal(await me(right, tokens), 200, `${about}: at another one`)
    }
    const next = (await refresh(right, here)).body as Tokens
    t.equal(await me(process, next), 200, `${about}: refreshed elsewhere`)
    t.match(
      (await refresh(process, here)).body,
      { refreshToken: next.refreshToken },
      'the same next one, at any process',
    )
    // Somebody else uses the session, at the process whose clock is wrong: the first token is not answered any more.
    t.equal((await send(`${process.address}/v1/cases`, { token: next.accessToken, from: '127.0.0.9' })).status, 200)
    t.equal((await refresh(right, here)).status, 401, `${about}: used from another address`)
    t.equal(await me(process, next), 401)
    await owner`update sessions set ends_at = now() where id = ${JSON.parse(atob(there.accessToken.split('.')[1] ?? '')).sid}`
    t.equal(await me(process, there), 401, `${about}: no longer than the session`)
    t.equal((await refresh(process, there)).status, 401)
  }
  for (const process of [right, ...processes]) process.child.kill()
  for (const { ended } of [right, ...processes]) t.match(await ended, { code: 0 })

  await owner`update referrals set expires_at = now(), expires_on = app.today() where id = ${over}`
  const late = await started(-2 * day)
  for (let left = 100; left && (await stateOf(over)) === 'offered'; left--) await wait(50)
  t.equal(await stateOf(over), 'expired', 'a process that is two days behind ends what is over')
  t.equal(await stateOf(open), 'offered')
  late.child.kill()
  await late.ended
})
