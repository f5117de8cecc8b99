// The second factor of an account: a code of an authenticator app, or a recovery code.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { Secret, TOTP } from 'otpauth'
import t from 'tap'
import { newFactor, newOtpSecret, proofOf, sealOtpSecret } from '../../src/people/second-factors/policy.ts'
import { addEpoch, createKeyFile, passingKeys, readKeys, removeEpoch } from '../../src/platform/access/keys.ts'
import { folder } from '../programs/start/program.ts'
import { meanwhile } from '../support/meanwhile.ts'
import { password, startService } from '../support/service.ts'
import { readByThief } from '../support/stolen.ts'
import { codeAt, email, me, setUp, signIn, stopAt } from './signing-in.ts'

const wrong = { status: 401, type: '/problems/wrong-second-factor' }
const needed = { status: 401, type: '/problems/second-factor-required' }
const factor = '/v1/me/second-factor'

t.test('a second factor is in use once a code of it was shown, and sign-in needs a code then', async t => {
  const service = await startService(t)
  const { app, as, owner } = service
  const asel = await as('caseworker', 'sunrise')
  const other = (await signIn(app)).json()
  await stopAt(owner, 0)
  t.match((await asel.get('/v1/me')).json().secondFactor, { active: false, required: false, recoveryCodes: 0 })
  t.match((await asel.post(factor, { password: 'not mine' })).json(), { type: '/problems/wrong-credentials' })
  const confirmation = `${factor}/confirmation`
  t.match((await asel.post(confirmation, { password, otp: '123456' })).json(), {
    status: 409,
    type: '/problems/no-second-factor',
  })
  const offered = (await asel.post(factor, { password })).json()
  t.match(offered.secret, /^[A-Z2-7]{32}$/)
  t.match(offered.uri, `otpauth://totp/Qujat:${encodeURIComponent(email)}?issuer=Qujat&secret=${offered.secret}`)
  t.equal((await signIn(app)).statusCode, 201, 'an offered secret is not in use')
  t.match((await asel.post(confirmation, { password, otp: codeAt(offered.secret, 300) })).json(), wrong)
  t.match((await asel.post(confirmation, { password })).json(), needed)
  t.equal(await me(app, other.accessToken), 200)
  const { secret, codes, otp } = await setUp(asel)
  t.match((await asel.post(confirmation, { password, otp })).json(), { status: 409 }, 'a repeated confirmation')
  t.equal(await me(app, other.accessToken), 401, 'the other sessions have ended')
  t.match((await asel.get('/v1/me')).json().secondFactor, { active: true, required: false, recoveryCodes: 8 })
  t.equal(new Set(codes).size, 8)
  for (const code of codes) t.match(code, /^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/)

  t.match((await signIn(app)).json(), needed)
  t.match((await signIn(app, { otp })).json(), wrong, 'the code of the confirmation was used')
  await stopAt(owner, 60)
  t.match((await signIn(app, { otp: codeAt(offered.secret, 60) })).json(), wrong, 'a secret that was replaced')
  const unknown = await signIn(app, { password: 'not mine', otp: codeAt(secret, 60) })
  t.match(unknown.json(), { type: '/problems/wrong-credentials' }, 'the right code with a wrong password')
  const signedIn = await signIn(app, { otp: codeAt(secret, 60) })
  t.equal(signedIn.statusCode, 201, signedIn.body)
  t.equal(await me(app, signedIn.json().accessToken), 200)
  const ruslan = await signIn(app, { email: 'ruslan@sunrise.example', otp: '123456' })
  t.equal(ruslan.statusCode, 201, 'a code that is not needed is ignored')
  for (const otp of ['12345', '1234567', 'ABCD-EFGH', '', ' '])
    t.match((await signIn(app, { otp })).json(), { status: 400, errors: [{ pointer: '#/otp' }] }, otp)
})

t.test('a code counts once, in its own step and the ones before and after it', async t => {
  const service = await startService(t)
  const { app, as, owner } = service
  await stopAt(owner, 0)
  const { secret } = await setUp(await as('caseworker', 'sunrise'))
  let now = 0
  const tried = async (offset: number) => {
    const status = (await signIn(app, { otp: codeAt(secret, now + offset) })).statusCode
    await owner`delete from guesses`
    return status
  }
  for (const [offset, expected] of [
    [-30, 201],
    [0, 201],
    [30, 201],
    [-60, 401],
    [60, 401],
  ] as const) {
    now += 300
    for (const second of [now, now + 29]) {
      await stopAt(owner, second)
      t.equal(await tried(offset), second === now ? expected : 401, `${offset} s, ${second - now} s into the step`)
    }
  }
  now += 300
  await stopAt(owner, now)
  t.same([await tried(30), await tried(0), await tried(-30)], [201, 401, 401], 'none before the last one that was used')
  now += 300
  await stopAt(owner, now)
  const started = async () => Number((await owner`select count(*) from sessions`)[0]?.count)
  const before = await started()
  const otp = codeAt(secret, now)
  const replies = await Promise.all([1, 2, 3, 4].map(() => signIn(app, { otp })))
  t.same(replies.map(({ statusCode }) => statusCode).sort(), [201, 401, 401, 401], 'parallel sign-ins with one code')
  t.equal(await started(), before + 1)
})

t.test('a recovery code replaces a code, once; new ones end the old ones', async t => {
  const service = await startService(t)
  const { app, as, owner, superuser } = service
  await stopAt(owner, 0)
  const [asel, ruslan] = [await as('caseworker', 'sunrise'), await as('caseworker', 'sunrise', 1)]
  const { secret, codes } = await setUp(asel)
  const other = await setUp(ruslan)
  const [one = '', two = '', three = '', four = ''] = codes
  const both = await Promise.all([signIn(app, { otp: one }), signIn(app, { otp: one })])
  t.same(both.map(({ statusCode }) => statusCode).sort(), [201, 401])
  t.match((await signIn(app, { otp: one })).json(), wrong)
  t.equal((await signIn(app, { otp: two.toLowerCase() })).statusCode, 201, 'in small letters')
  t.match((await signIn(app, { otp: other.codes[0] })).json(), wrong, 'the code of another account')
  t.equal((await asel.get('/v1/me')).json().secondFactor.recoveryCodes, 6)
  t.same(await readByThief(superuser, [secret, other.secret, ...codes]), [], 'no thief reads a secret or a code')
  const bytes = Buffer.from(Secret.fromBase32(secret).bytes)
  t.same([...(await owner`select from second_factors where position(${bytes} in secret) > 0`)], [])

  const renewal = `${factor}/recovery-codes`
  t.match((await asel.post(renewal, { password })).json(), needed)
  t.match((await asel.post(renewal, { password: 'not mine', otp: three })).json(), { status: 401 })
  const renewed = (await asel.post(renewal, { password, otp: three })).json().recoveryCodes as string[]
  t.equal(renewed.length, 8)
  t.match((await signIn(app, { otp: four })).json(), wrong, 'an old code')
  t.equal((await signIn(app, { otp: renewed[0] })).statusCode, 201)
  const dina = await as('supervisor', 'sunrise')
  t.match((await dina.post(renewal, { password, otp: '123456' })).json(), { type: '/problems/no-second-factor' })
})

t.test('wrong codes count as guesses, and asking for one does not', async t => {
  const service = await startService(t)
  const { app, as, owner, keys } = service
  await stopAt(owner, 0)
  const { secret } = await setUp(await as('caseworker', 'sunrise'))
  const failures = async () => {
    const found = await owner`select failures from guesses where key = ${keys.hash('guess', `${email} 127.0.0.1`)}`
    return found[0]?.failures ?? 0
  }
  for (let time = 0; time < 10; time++) t.match((await signIn(app)).json(), needed)
  t.equal(await failures(), 0)
  for (let time = 1; time <= 3; time++) {
    t.match((await signIn(app, { otp: '000000' })).json(), wrong)
    t.match((await signIn(app)).json(), needed)
    t.equal(await failures(), time, 'the right password alone does not reset them')
  }
  const guesses = await Promise.all(Array.from({ length: 20 }, () => signIn(app, { otp: '000000' })))
  t.ok(guesses.some(({ statusCode }) => statusCode === 429))
  t.equal((await signIn(app, { otp: codeAt(secret, 30) })).statusCode, 429, 'the right code is too early')
  await stopAt(owner, 3_600)
  t.equal((await signIn(app, { otp: codeAt(secret, 3_600) })).statusCode, 201)
  t.equal(await failures(), 0)
})

t.test(
  'another secret replaces the first one when it is confirmed; a second factor is removed with a code',
  async t => {
    const service = await startService(t)
    const { app, as, owner } = service
    await stopAt(owner, 0)
    const asel = await as('caseworker', 'sunrise')
    const first = await setUp(asel)
    t.match((await asel.post(factor, { password })).json(), needed, 'a session and the password do not replace it')
    await stopAt(owner, 60)
    const next = (await asel.post(factor, { password, otp: codeAt(first.secret, 60) })).json()
    await stopAt(owner, 120)
    t.equal(
      (await signIn(app, { otp: codeAt(first.secret, 120) })).statusCode,
      201,
      'the first one is in use until then',
    )
    const confirmed = await asel.post(`${factor}/confirmation`, { password, otp: codeAt(next.secret, 120) })
    t.equal(confirmed.statusCode, 201, confirmed.body)
    await stopAt(owner, 180)
    t.match((await signIn(app, { otp: codeAt(first.secret, 180) })).json(), wrong)
    t.match((await signIn(app, { otp: first.codes[0] })).json(), wrong, 'a recovery code of the first one')
    t.equal((await signIn(app, { otp: codeAt(next.secret, 180) })).statusCode, 201)
    await stopAt(owner, 240)
    t.match((await asel.post(`${factor}/removal`, { password })).json(), needed)
    t.match((await asel.post(`${factor}/removal`, { password, otp: '000000' })).json(), wrong)
    t.equal((await asel.post(`${factor}/removal`, { password, otp: codeAt(next.secret, 240) })).statusCode, 204)
    t.equal((await asel.post(`${factor}/removal`, { password })).statusCode, 204, 'again, after a lost reply')
    t.equal((await signIn(app)).statusCode, 201)
    t.same([...(await owner`select hash from recovery_codes`)], [])
  },
)

t.test('a sign-in that was checked before another secret is confirmed gives no session', async t => {
  const service = await startService(t)
  const { app, as, owner } = service
  await stopAt(owner, 0)
  const asel = await as('caseworker', 'sunrise')
  const during = async (otp?: string) => {
    const [row] = await owner`select password_hash, encode(offered, 'hex') as offered from accounts
      join second_factors on account_id = id where id = ${asel.account}`
    const confirm = `select app.confirm_factor('${row?.password_hash}', '\\x${row?.offered}', 1, array['\\x00'::bytea])`
    return (await meanwhile(service, asel, confirm, () => signIn(app, { otp }))).json()
  }
  const { secret } = (await asel.post(factor, { password })).json()
  t.match(await during(), needed, 'without a code')
  await asel.post(factor, { password, otp: codeAt(secret, 0) })
  t.match((await signIn(app, { otp: codeAt(secret, 0) })).json(), wrong, 'the code is used up')
  await stopAt(owner, 60)
  t.match(await during(codeAt(secret, 60)), wrong, 'with a code of the first secret')
})

t.test('a secret opens for its own account only, and after every rotation', async t => {
  const keys = passingKeys()
  const [account, other] = ['a', 'b']
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), instant => {
      const secret = newOtpSecret()
      const sealed = sealOtpSecret(keys, account, secret)
      const otp = proofAt(secret, instant)
      return proofOf(keys, { account, secret: sealed, instant }, otp).step === Math.floor(instant / 30_000)
    }),
  )
  const { sealed } = newFactor(keys, account, email)
  t.throws(() => proofOf(keys, { account: other, secret: sealed, instant: 0 }, '123456'), { message: 'unreadable' })
  const path = join(folder(), 'keys.json')
  createKeyFile(path)
  const secret = newOtpSecret()
  const kept = sealOtpSecret(readKeys(path), account, secret)
  addEpoch(path)
  removeEpoch(path, 1)
  t.equal(proofOf(readKeys(path), { account, secret: kept, instant: 0 }, proofAt(secret, 0)).step, 0)
  rmSync(path)

  const service = await startService(t)
  const { app, as, owner, lines } = service
  await stopAt(owner, 0)
  const [asel, ruslan] = [await as('caseworker', 'sunrise'), await as('caseworker', 'sunrise', 1)]
  const [mine, theirs] = [await setUp(asel), await setUp(ruslan)]
  await owner`update second_factors set last_step = 0,
    secret = (select secret from second_factors where account_id = ${ruslan.account}) where account_id = ${asel.account}`
  const refused = await signIn(app, { otp: codeAt(theirs.secret, 0) })
  t.match(refused.json(), { status: 500, type: '/problems/unreadable' }, 'moved to another account')
  const entries = await owner`select convert_from(content, 'UTF8') as content from entries`
  const written = lines.join('') + refused.body + entries.map(({ content }) => content).join('')
  t.match(written, `second_factors.secret/${asel.account}`)
  for (const { secret, otp, codes } of [mine, theirs])
    for (const word of [secret, `"${otp}"`, ...codes]) t.notMatch(written, word, 'nothing secret is written down')
})

const proofAt = (secret: string, instant: number) =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: instant })
