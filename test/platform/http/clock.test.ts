// The time of day of the process differs from that of the database.
import t from 'tap'
import { later, me, refresh, signIn } from '../../people/signing-in.ts'
import { startService } from '../../support/service.ts'

const [hour, day] = [3_600_000, 86_400_000]
const timeOfDay = Date.now
/** Sets the clock of this process, and of the service in it, so many milliseconds forward. */
const shift = (by: number) => {
  Date.now = () => timeOfDay() + by
}
t.afterEach(() => shift(0))

t.test('tokens and sessions follow the clock of the database, whatever the time of day in the process', async t => {
  const service = await startService(t)
  const { app, db, owner } = service
  await db.readClock()
  for (const by of [hour, -hour, 2 * day, -2 * day]) {
    shift(0)
    const before = (await signIn(app)).json()
    shift(by)
    const since = (await signIn(app)).json()
    t.equal(await me(app, before.accessToken), 200, `a token from before the jump of ${by} ms`)
    t.equal(await me(app, since.accessToken), 200, `a token from after the jump of ${by} ms`)
    const next = (await refresh(app, before.refreshToken)).json()
    t.equal(await me(app, next.accessToken), 200)
    shift(0)
    await db.readClock()
    t.equal(await me(app, since.accessToken), 200, 'after the clock was corrected')
    shift(by)
    await owner`update sessions set ends_at = now()`
    for (const { accessToken, refreshToken } of [since, next]) {
      t.equal(await me(app, accessToken), 401, 'the session has ended, and its access token with it')
      t.equal((await refresh(app, refreshToken)).statusCode, 401)
    }
  }
})

t.test('an access token ends ten minutes later by the clock of the database', async t => {
  const service = await startService(t)
  const { app, db } = service
  const { accessToken, refreshToken } = (await signIn(app)).json()
  await later(service, '9 minutes')
  await db.readClock()
  t.equal(await me(app, accessToken), 200)
  await later(service, '11 minutes')
  await db.readClock()
  t.equal(await me(app, accessToken), 401)
  const next = (await refresh(app, refreshToken)).json()
  t.equal(await me(app, next.accessToken), 200)
})
