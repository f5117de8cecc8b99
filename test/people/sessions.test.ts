import { randomUUID } from 'node:crypto'
import t from 'tap'
import { buildApp } from '../../src/app.ts'
import { meanwhile } from '../support/meanwhile.ts'
import { password, type Service, startService } from '../support/service.ts'
import { another, email, later, me, post, refresh, signIn, signOut } from './signing-in.ts'

/** Invites a new account as a supervisor. */
async function invite({ as }: Service) {
  const supervisor = await as('supervisor', 'sunrise')
  const email = `${randomUUID()}@sunrise.example`
  const invited = await supervisor.post('/v1/accounts', { email, name: 'Laura Omarova', roles: ['caseworker'] })
  return { email, supervisor, status: invited.statusCode, id: invited.json().id, code: invited.json().enrolmentCode }
}

t.test('the right password gives tokens that work', async t => {
  const service = await startService(t)
  const { app } = service
  const signedIn = await signIn(app)
  t.equal(signedIn.statusCode, 201)
  t.match(signedIn.json(), { expiresIn: 600, refreshToken: /^[\w-]{43}$/, account: { id: String } })
  t.equal(signedIn.headers['cache-control'], 'no-store')
  const { accessToken, account } = signedIn.json()
  const who = await app.inject({ url: '/v1/me', headers: { authorization: `Bearer ${accessToken}` } })
  t.match(who.json(), { id: account.id, email, roles: ['caseworker'], organisation: { kind: 'ngo' } })
  t.equal((await signIn(app, { email: email.toUpperCase() })).statusCode, 201, 'the e-mail address in capitals')
  await later(service, '1 year')
  t.equal(await me(app, accessToken), 401, 'the token expires')
})

t.test('the refusal of a sign-in does not reveal its reason', async t => {
  const service = await startService(t)
  const { app, owner } = service
  const invited = await invite(service)
  await owner`update accounts set status = 'disabled' where email = 'ruslan@sunrise.example'`
  for (const status of ['closing', 'closed'])
    await owner`update organisations set status = ${status} where short_name = 'common-home'`
  const refusals = {
    'wrong password': { password: 'not the password of anybody' },
    'unknown e-mail': { email: 'nobody@sunrise.example' },
    'disabled account': { email: 'ruslan@sunrise.example' },
    'closed organisation': { email: 'zarina@common-home.example' },
    'not enrolled yet': { email: invited.email },
  }
  for (const [name, given] of Object.entries(refusals)) {
    const refused = await signIn(app, given)
    const { requestId, ...body } = refused.json()
    t.equal(refused.statusCode, 401, name)
    t.match(refused.headers['content-type'], /^application\/problem\+json/)
    t.equal(refused.headers['x-request-id'], requestId)
    t.same(body, {
      type: '/problems/wrong-credentials',
      title: 'E-mail or password is wrong',
      status: 401,
      instance: '/v1/sessions',
    })
  }
})

t.test('guesses are slowed down, across processes', async t => {
  const service = await startService(t)
  const { app, db, ledger, keys, owner } = service
  const atAccount = keys.hash('guess', `${email} 127.0.0.1`)
  const guesses = await Promise.all(Array.from({ length: 20 }, (_, i) => signIn(app, { password: `guess ${i}` })))
  const tried = guesses.filter(({ statusCode }) => statusCode === 401)
  const refused = guesses.filter(({ statusCode }) => statusCode === 429)
  t.ok(tried.length >= 1 && tried.length <= 5, `${tried.length} of 20 at once are tried`)
  t.equal(refused.length, 20 - tried.length)
  for (const { headers } of refused) t.match(headers['retry-after'], /^[1-9]\d*$/)
  const [counted] = await owner`select failures from guesses where key = ${atAccount}`
  t.equal(counted?.failures, tried.length)

  await owner`update guesses set failures = 12, last_at = now() where key = ${atAccount}`
  const log = { write() {} }
  const second = await buildApp({
    db,
    ledger,
    config: { logLevel: 'info', trustedProxies: [], rateLimit: 1_000_000, importLimit: 1 },
    log,
  })
  service.watch(second)
  t.teardown(() => second.close())
  for (const process of [app, second]) {
    const early = await signIn(process)
    t.equal(early.statusCode, 429, 'even the right password is too early')
    t.match(early.json(), { type: '/problems/too-many-requests' })
    const seconds = Number(early.headers['retry-after'])
    t.ok(seconds > 100 && seconds <= 128, `2^7 seconds after eight failures too many: ${seconds}`)
  }
  t.equal(
    (await signIn(app, { email: 'ruslan@sunrise.example' })).statusCode,
    201,
    'another account is not slowed down',
  )
  const elsewhere = { method: 'POST', url: '/v1/sessions', remoteAddress: '10.0.0.9' } as const
  t.equal(
    (await app.inject({ ...elsewhere, payload: { email, password } })).statusCode,
    201,
    'the owner of the account is not kept out, who signs in from another address',
  )
  await later(service, '1 hour')
  t.equal((await signIn(second)).statusCode, 201, 'the right password after the delay')
  const [forgotten] = await owner`select failures from guesses where key = ${atAccount}`
  t.equal(forgotten?.failures, 0)
})

t.test('a password that is verified while the account is disabled, or gets another one, gives no session', async t => {
  const service = await startService(t)
  const { app, as, owner } = service
  const [asel, dina] = [await as('caseworker', 'sunrise'), await as('supervisor', 'sunrise')]
  const [{ password_hash: hash } = {}] = await owner`select password_hash from accounts where id = ${asel.account}`
  const change = `select app.change_password('${hash}', 'another')`
  const changed = await meanwhile(service, asel, change, () => signIn(app))
  t.match(changed.json(), { status: 401, type: '/problems/wrong-credentials' })
  await owner`update accounts set password_hash = ${hash} where id = ${asel.account}`
  const disable = `update accounts set status = 'disabled' where id = '${asel.account}'`
  const disabled = await meanwhile(service, dina, disable, () => signIn(app))
  t.match(disabled.json(), { status: 401, type: '/problems/wrong-credentials' })
})

t.test('signing out ends the current session, or all sessions of the account', async t => {
  const { app } = await startService(t)
  const [here, there, third] = [await signIn(app), await signIn(app), await signIn(app)].map(reply => reply.json())
  const colleague = (await signIn(app, { email: 'ruslan@sunrise.example' })).json()
  t.equal(await signOut(app, '/v1/sessions/current', here.accessToken), 204)
  t.equal(await me(app, here.accessToken), 401)
  t.equal((await refresh(app, here.refreshToken)).statusCode, 401)
  t.equal(await me(app, there.accessToken), 200)
  t.equal(await signOut(app, '/v1/sessions', there.accessToken), 204)
  for (const { accessToken, refreshToken } of [there, third]) {
    t.equal(await me(app, accessToken), 401)
    t.equal((await refresh(app, refreshToken)).statusCode, 401)
  }
  t.equal(await me(app, colleague.accessToken), 200, 'sessions of other accounts stay')
})

t.test('an enrolment code sets a password once', async t => {
  const service = await startService(t)
  const { app } = service
  const { status, email, code, id, supervisor } = await invite(service)
  t.equal(status, 201)
  t.match(code, /^[\w-]{16}$/)
  for (const weak of ['too short', 'aaaaaaaaaaaaaaaaaaaa', 'abcabcabcabcabcabc', 'PasswordPassword', 'x'.repeat(201)]) {
    const refused = await post(app, '/v1/enrolments', { code, password: weak })
    t.equal(refused.statusCode, 400, weak.slice(0, 20))
    t.match(refused.json(), { type: '/problems/invalid-request', errors: [{ pointer: '#/password' }] })
    t.notMatch(refused.body, weak, 'the reply does not contain the password')
  }
  const unknown = await post(app, '/v1/enrolments', { code: 'x'.repeat(16), password: 'abcabcabcabcabcabc' })
  t.match(unknown.json(), { type: '/problems/code-not-valid' }, 'the code is looked up before the password')
  t.equal((await post(app, '/v1/enrolments', { code, password: another })).statusCode, 204)
  const again = await post(app, '/v1/enrolments', { code, password })
  t.equal(again.statusCode, 401)
  t.match(again.json(), { type: '/problems/code-not-valid' })
  t.equal((await signIn(app, { email, password })).statusCode, 401)
  const signedIn = await signIn(app, { email, password: another })
  t.equal(signedIn.statusCode, 201)

  const next = (await supervisor.post(`/v1/accounts/${id}/enrolment`)).json().enrolmentCode
  const last = (await supervisor.post(`/v1/accounts/${id}/enrolment`)).json().enrolmentCode
  t.equal((await post(app, '/v1/enrolments', { code: next, password })).statusCode, 401, 'an earlier code is void')
  t.equal((await post(app, '/v1/enrolments', { code: last, password })).statusCode, 204)
  t.equal(await me(app, signedIn.json().accessToken), 401, 'a new password by code ends every session')
})

t.test('an enrolment code is valid for three days', async t => {
  const service = await startService(t)
  const [in71, in73] = [await invite(service), await invite(service)]
  await later(service, '71 hours')
  t.equal((await post(service.app, '/v1/enrolments', { code: in71.code, password: another })).statusCode, 204)
  await later(service, '73 hours')
  const expired = await post(service.app, '/v1/enrolments', { code: in73.code, password: another })
  t.equal(expired.statusCode, 401)
  t.match(expired.json(), { type: '/problems/code-not-valid' })
})

t.test('a new password needs the current one, and ends the other sessions', async t => {
  const { app } = await startService(t)
  const [here, there] = [await signIn(app), await signIn(app)].map(reply => reply.json())
  const change = (current: string, next: string) => post(app, '/v1/me/password', { current, next }, here.accessToken)
  const wrong = await change('not the password of anybody', another)
  t.equal(wrong.statusCode, 401)
  t.match(wrong.json(), { type: '/problems/wrong-credentials' })
  t.match((await change(password, 'too short')).json(), { status: 400, errors: [{ pointer: '#/next' }] })
  t.equal(await me(app, there.accessToken), 200, 'the refused changes ended no session')
  t.equal((await change(password, another)).statusCode, 204)
  t.equal(await me(app, here.accessToken), 200)
  t.equal(await me(app, there.accessToken), 401)
  t.equal((await refresh(app, there.refreshToken)).statusCode, 401)
  t.equal((await signIn(app)).statusCode, 401)
  t.equal((await signIn(app, { password: another })).statusCode, 201)
})

t.test('the log contains no password, token, code or e-mail address', async t => {
  const service = await startService(t)
  const { app, lines } = service
  const invited = await invite(service)
  await post(app, '/v1/enrolments', { code: invited.code, password: another })
  const wrong = 'not the password of anybody'
  await signIn(app, { password: wrong })
  const first = (await signIn(app)).json()
  const second = (await refresh(app, first.refreshToken)).json()
  await post(app, '/v1/me/password', { current: password, next: another }, second.accessToken)
  await me(app, `${first.accessToken}x`)
  const tokens = [first, second].flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken])
  const log = lines.join('')
  t.ok(lines.length >= 7)
  for (const secret of [password, another, wrong, email, invited.email, invited.code, ...tokens])
    t.notOk(log.includes(secret))
})
