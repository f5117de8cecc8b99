import t from 'tap'
import { startService } from '../support/service.ts'
import { later, me, refresh, signIn } from './signing-in.ts'

t.test('a refresh token works once; using it again from elsewhere or later ends the session', async t => {
  const service = await startService(t)
  const { app } = service
  const signedIn = async () => (await signIn(app)).json()
  const from = (refreshToken: string, remoteAddress: string) =>
    app.inject({ method: 'POST', url: '/v1/sessions/refresh', payload: { refreshToken }, remoteAddress })
  const isOver = async (...sessions: { accessToken: string; refreshToken: string }[]) => {
    for (const { accessToken, refreshToken } of sessions) {
      t.equal(await me(app, accessToken), 401)
      t.equal((await refresh(app, refreshToken)).statusCode, 401)
    }
  }
  const [first, other, third] = [await signedIn(), await signedIn(), await signedIn()]
  const refreshed = await refresh(app, first.refreshToken)
  t.equal(refreshed.statusCode, 200)
  const second = refreshed.json()
  t.not(second.refreshToken, first.refreshToken)
  t.equal(await me(app, second.accessToken), 200)
  const stolen = await from(first.refreshToken, '10.0.0.9')
  t.match(stolen.json(), { status: 401, type: '/problems/unauthorized' })
  await isOver(first, second)
  t.equal(await me(app, other.accessToken), 200, 'another session of the account has not ended')

  const next = (await refresh(app, other.refreshToken)).json()
  t.equal((await from(next.refreshToken, '10.0.0.9')).statusCode, 200, 'a client may change its network')
  t.equal((await refresh(app, other.refreshToken)).statusCode, 401, 'its successor was used elsewhere')
  await isOver(other, next)

  await refresh(app, third.refreshToken)
  await later(service, '31 seconds')
  t.equal((await refresh(app, third.refreshToken)).statusCode, 401, 'no reply is lost for so long')
  await isOver(third)
  t.equal((await refresh(app, 'x'.repeat(43))).statusCode, 401, 'unknown')
  t.equal((await refresh(app, 'x')).statusCode, 400, 'not a refresh token')
})

t.test('after a lost reply, and for two workers at once, a refresh token gives the same next one', async t => {
  const { app } = await startService(t)
  const first = (await signIn(app)).json()
  const replies = [...(await Promise.all([1, 2].map(() => refresh(app, first.refreshToken))))]
  replies.push(await refresh(app, first.refreshToken))
  const [next] = replies.map(reply => reply.json())
  for (const reply of replies) {
    t.match(reply, { statusCode: 200 })
    t.equal(reply.json().refreshToken, next.refreshToken)
    t.equal(await me(app, reply.json().accessToken), 200)
  }
  t.equal(await me(app, first.accessToken), 200)
  t.equal((await refresh(app, next.refreshToken)).statusCode, 200)
})

t.test('a refresh token is not given again once an access token was used from elsewhere', async t => {
  const { app } = await startService(t)
  const first = (await signIn(app)).json()
  const next = (await refresh(app, first.refreshToken)).json()
  const headers = { authorization: `Bearer ${next.accessToken}` }
  t.equal((await app.inject({ url: '/v1/cases', headers, remoteAddress: '10.0.0.9' })).statusCode, 200)
  t.equal((await refresh(app, first.refreshToken)).statusCode, 401)
  t.equal(await me(app, next.accessToken), 401)
})

t.test('a session that nobody uses ends', async t => {
  const service = await startService(t)
  const { app } = service
  const [used, left] = [(await signIn(app)).json(), (await signIn(app)).json()]
  await later(service, '59 minutes')
  const next = (await refresh(app, used.refreshToken)).json()
  await later(service, '61 minutes')
  t.equal((await refresh(app, left.refreshToken)).statusCode, 401)
  t.equal((await refresh(app, next.refreshToken)).statusCode, 200)
})

t.test('a session that is past its end, or of a disabled account, is not refreshed', async t => {
  const service = await startService(t)
  const { app, owner } = service
  const disabled = (await signIn(app, { email: 'ruslan@sunrise.example' })).json()
  await owner`update accounts set status = 'disabled' where email = 'ruslan@sunrise.example'`
  t.equal((await refresh(app, disabled.refreshToken)).statusCode, 401)
  const old = (await signIn(app)).json()
  await later(service, '1 year')
  t.equal((await refresh(app, old.refreshToken)).statusCode, 401)
})
