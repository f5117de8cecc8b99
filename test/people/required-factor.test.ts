// Organisations that require a second factor of some roles, and what ends one.
import t from 'tap'
import { permissions } from '../../src/platform/access/permissions.ts'
import { enterSession } from '../../src/platform/db/admission.ts'
import { sql } from '../../src/platform/db/drizzle.ts'
import { ifMatch, password, type Someone, startService } from '../support/service.ts'
import { another, codeAt, me, post, setUp, signIn, stopAt } from './signing-in.ts'

const missing = { status: 403, type: '/problems/second-factor-missing' }
const ruleOf = ({ organisation }: Pick<Someone, 'organisation'>) => `/v1/organisations/${organisation.id}/second-factor`
const factor = '/v1/me/second-factor'

t.test('whoever must have a second factor and has none can do nothing but set it up', async t => {
  const service = await startService(t)
  const { app, as, owner, db } = service
  await stopAt(owner, 0)
  const [asel, dina] = [await as('caseworker', 'sunrise'), await as('supervisor', 'sunrise')]
  const zarina = await as('caseworker', 'common-home')
  t.same((await dina.get(ruleOf(dina))).json(), { required: [] })
  const put = await dina.put(ruleOf(dina), { required: ['caseworker', 'caseworker'] })
  t.same(put.json(), { required: ['caseworker'] })
  t.same((await dina.get(ruleOf(dina))).json(), { required: ['caseworker'] })

  const signedIn = await signIn(app)
  t.equal(signedIn.statusCode, 201, 'the account signs in without a code')
  t.match((await asel.get('/v1/me')).json().secondFactor, { active: false, required: true })
  await app.ready()
  const { paths } = app.openapi() as { paths: Record<string, Record<string, { 'x-permission'?: string }>> }
  const reads = Object.entries(paths).filter(([, { get }]) => get?.['x-permission'])
  const tried = reads.filter(([, { get }]) =>
    permissions[get?.['x-permission'] as 'cases:read'].includes('caseworker@ngo' as never),
  )
  t.ok(tried.length > 20)
  for (const [path, { get }] of tried) {
    const url =
      path.replaceAll(/\{\w+\}/g, asel.account) + (path.startsWith('/v1/reports/') ? `?campaignId=${asel.account}` : '')
    const reply = await asel.get(url)
    if (get?.['x-permission'] === 'self:manage') t.equal(reply.statusCode, 200, path)
    else t.match(reply.json(), missing, path)
  }
  t.match((await asel.post('/v1/searches', { externalId: 'x' })).statusCode, /40[34]/)
  const { 'cases:read': offices } = permissions
  const entering = db.transact(enterSession(asel.session, offices), tx => tx.execute(sql`select`))
  await t.rejects(entering, { message: 'second-factor-missing' }, 'the database refuses the session')
  t.equal((await zarina.get('/v1/cases')).statusCode, 200, 'another organisation of the kind')
  t.equal((await dina.get('/v1/cases')).statusCode, 200, 'another role')

  const { secret } = await setUp(asel)
  t.equal((await asel.get('/v1/cases')).statusCode, 200)
  const removal = `${factor}/removal`
  const refused = await asel.post(removal, { password, otp: codeAt(secret, 30) })
  t.match(refused.json(), { status: 403, detail: /requires a second factor/ })
  t.match((await signIn(app)).json(), { type: '/problems/second-factor-required' })
  t.equal((await signIn(app, { otp: codeAt(secret, 30) })).statusCode, 201, 'the refusal has not used the code up')
  await dina.put(ruleOf(dina), { required: [] })
  await stopAt(owner, 120)
  t.equal((await asel.post(removal, { password, otp: codeAt(secret, 120) })).statusCode, 204)
})

t.test('those who manage the accounts of an organisation set what it requires', async t => {
  const { as, owner } = await startService(t)
  const [dina, gulnara] = [await as('supervisor', 'sunrise'), await as('supervisor', 'committee')]
  const [marat, igor] = [await as('supervisor', 'almaty-city'), await as('supervisor', 'common-home')]
  const [samal, admin] = [await as('auditor', 'oversight'), await as('administrator', 'operator')]
  for (const [who, of, role, status] of [
    [dina, dina, 'supervisor', 200],
    [igor, dina, 'caseworker', 404],
    [admin, dina, 'caseworker', 404],
    [gulnara, dina, 'caseworker', 404],
    [samal, samal, 'auditor', 200],
    [admin, admin, 'administrator', 200],
    [await as('supervisor', 'almaty-city', 1), await as('officer', 'turkistan'), 'officer', 404],
    [gulnara, marat, 'officer', 200],
    [marat, gulnara, 'officer', 404],
    [await as('caseworker', 'sunrise'), dina, 'caseworker', 403],
    [await as('officer', 'committee'), gulnara, 'officer', 403],
  ] as const) {
    const name = `${who.email} for ${of.organisation.name}`
    const [own] = await owner`select second_factor_roles as roles from organisations where id = ${of.organisation.id}`
    t.equal((await who.put(ruleOf(of), { required: [role] })).statusCode, status, name)
    const [now] = await owner`select second_factor_roles as roles from organisations where id = ${of.organisation.id}`
    t.same(now?.roles, status === 200 ? [role] : own?.roles, name)
    if (status === 404) t.equal((await who.get(ruleOf(of))).statusCode, 404, `${name}: reading`)
    await owner`update organisations set second_factor_roles = '{}'`
  }
  t.match((await dina.put(ruleOf(dina), { required: ['officer'] })).json(), {
    status: 400,
    errors: [{ pointer: '#/required', detail: 'Expected roles that exist in this kind of organisation' }],
  })
  await dina.put(ruleOf(dina), { required: ['supervisor'] })
  t.match((await dina.get('/v1/accounts')).json(), missing, 'also for the one who set it')
})

t.test('enrolment anew is the only way in which one account ends the second factor of another, and counts', async t => {
  const service = await startService(t)
  const { app, as, owner } = service
  await stopAt(owner, 0)
  const [asel, dina] = [await as('caseworker', 'sunrise'), await as('supervisor', 'sunrise')]
  const { secret, codes } = await setUp(asel)
  const code = (await dina.post(`/v1/accounts/${asel.account}/enrolment`)).json().enrolmentCode
  t.match((await signIn(app)).json(), { type: '/problems/second-factor-required' }, 'the code alone changes nothing')
  t.equal((await post(app, '/v1/enrolments', { code, password: another })).statusCode, 204)
  t.equal((await asel.get('/v1/me')).statusCode, 401, 'the sessions have ended')
  const signedIn = await signIn(app, { password: another })
  t.equal(signedIn.statusCode, 201, signedIn.body)
  t.equal(await me(app, signedIn.json().accessToken), 200)
  t.same([...(await owner`select from second_factors where account_id = ${asel.account}`)], [])
  t.same([...(await owner`select from recovery_codes where account_id = ${asel.account}`)], [])
  const [control] = await owner`select controller_id, what from account_controls where account_id = ${asel.account}`
  t.same(control, { controller_id: dina.account, what: 'enrolment' })

  // Before the account has a second factor again, neither an old code nor an old secret is one.
  const again = await service.signedIn(asel)
  const next = (await again.post(factor, { password: another })).json()
  t.not(next.secret, secret)
  await again.post(`${factor}/confirmation`, { password: another, otp: codeAt(next.secret, 0) })
  t.match((await signIn(app, { password: another, otp: codes[0] })).json(), { type: '/problems/wrong-second-factor' })
})

t.test('no other operation on an account changes its second factor', async t => {
  const { as, owner } = await startService(t)
  await stopAt(owner, 0)
  const [asel, dina] = [await as('caseworker', 'sunrise'), await as('supervisor', 'sunrise')]
  await setUp(asel)
  const kept = async () => [
    ...(await owner`select f.*, (select count(*)::int from recovery_codes r where r.account_id = f.account_id) as codes
      from second_factors f where account_id = ${asel.account}`),
  ]
  const before = await kept()
  const url = `/v1/accounts/${asel.account}`
  let { version } = (await dina.get(url)).json()
  for (const change of [
    { name: 'Another' },
    { status: 'disabled' },
    { status: 'active' },
    { roles: ['caseworker', 'supervisor'] },
  ])
    version = (await dina.patch(url, change, ifMatch(version))).json().version
  await dina.put(ruleOf(dina), { required: [] })
  await dina.post(`${factor}/removal`, { password })
  t.same(await kept(), before)
})

t.test('the demonstration has one account with a second factor', async t => {
  const { app, demonstration, owner } = await startService(t)
  await stopAt(owner, 0)
  const having = demonstration.filter(({ otpSecret }) => otpSecret)
  t.same(
    having.map(({ email }) => email),
    ['yerlan@committee.example'],
  )
  const { email, otpSecret = '' } = having[0] ?? {}
  t.match((await post(app, '/v1/sessions', { email, password })).json(), { type: '/problems/second-factor-required' })
  t.equal((await post(app, '/v1/sessions', { email, password, otp: codeAt(otpSecret, 0) })).statusCode, 201)
})
