import { randomBytes } from 'node:crypto'
// The content of audit entries, who reads them, and that no request succeeds without one. For the whole suite,
// test/support/entries.ts checks that every request has one entry, which names each case that it showed.
import Fastify from 'fastify'
import t from 'tap'
import { audit } from '../../../src/platform/http/audit.ts'
import { inSql } from '../../support/in-sql.ts'
import { decision, following, register, takenUp } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, password, registration, startService } from '../../support/service.ts'

t.test('an entry records account, operation, cases, zones and grants, and no personal data', async t => {
  const { as, superuser } = await startService(t)
  const [samal, asel, nurlan, kairat] = [
    await as('auditor', 'oversight'),
    await as('caseworker', 'sunrise'),
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
  ]
  const one = await register(asel)
  const entries = async (query: string) => (await samal.get(`/v1/audit/entries?${query}`)).json().items
  const [registered] = await entries(`case=${one.id}`)
  const [grant] = await superuser`select id from grants where case_id = ${one.id}`
  t.match(registered, {
    operation: 'registerCase',
    outcome: 'done',
    account: asel.account,
    organisation: asel.organisation.id,
    session: asel.session,
    roles: ['caseworker'],
    cases: [one.id],
    zones: ['identity'],
    grants: [grant?.id],
    address: /^[\da-f]{64}$/,
  })
  await asel.get(`/v1/cases/${one.id}/person/contact`)
  t.match((await entries(`case=${one.id}`))[0], { operation: 'getContact', zones: ['contact'], grants: [grant?.id] })
  await asel.get(`/v1/cases?state=registered&limit=7`)
  t.match((await entries(`account=${asel.account}&operation=listCases`))[0], {
    cases: [one.id],
    criteria: { fields: ['limit', 'state'], hash: /^[\da-f]{64}$/ },
  })
  const search = { names: ['Әбдіғали'] }
  for (let n = 0; n < 2; n++) await asel.post('/v1/cases/search', search)
  const [first, second] = await entries('operation=searchCases')
  t.match(first, { cases: [one.id], criteria: { fields: ['limit', 'names'] } })
  t.equal(first.criteria.hash, second.criteria.hash, 'the same search has the same hash')

  const theirs = await takenUp(nurlan)
  await theirs.together(nurlan, kairat, decision)
  t.match((await entries(`case=${theirs.id}`)).map(({ operation }: { operation: string }) => operation).reverse(), [
    'registerCase',
    ...Array(2).fill(['getCase', 'takeStep']).flat(),
    'getCase',
    'proposeStep',
    'confirmProposal',
  ])
  t.match((await entries('operation=takeStep'))[0], { versions: { before: 2, after: 3 } })
  const all = (await superuser`select convert_from(content, 'UTF8') as content from entries`).map(
    ({ content }) => content,
  )
  // The year as a value: ids and hashes may hold its digits by chance.
  t.notMatch(all.join('\n'), /Әбдіғали|Қайрат|[:[,] ?1961|@|housing office/)
})

t.test('a refused request has an entry, which does not show whether the case exists', async t => {
  const { as } = await startService(t)
  const [samal, asel, bolat] = [
    await as('auditor', 'oversight'),
    await as('caseworker', 'sunrise'),
    await as('officer', 'almaty-city'),
  ]
  const one = await register(asel)
  const never = crypto.randomUUID()
  for (const id of [one.id, never]) await bolat.get(`/v1/cases/${id}`)
  await bolat.get('/v1/accounts')
  await asel.post(`/v1/cases/${one.id}/transitions`, { action: 'take_up' }, { ...idempotencyKey(), ...ifMatch(1) })
  await asel.post('/v1/cases', { ...registration(), regionCode: 'KZ-00' }, idempotencyKey())
  const entries = async (query: string) => (await samal.get(`/v1/audit/entries?${query}`)).json().items
  const [second, first] = await entries('outcome=not-found')
  t.match(
    [first, second],
    [
      { cases: [one.id], account: bolat.account },
      { cases: [never], account: bolat.account },
    ],
  )
  t.same(Object.keys(first), Object.keys(second))
  t.match(await entries('outcome=forbidden'), [{ operation: 'listAccounts', organisation: bolat.organisation.id }])
  t.match(await entries('outcome=action-not-allowed'), [{ operation: 'takeStep', versions: { before: 1 } }])
  await bolat.get('/v1/cases/11111111-1111-c111-8111-111111111111')
  const [unread, ...others] = await entries('outcome=invalid-request')
  t.match([unread, ...others], [{ operation: 'getCase' }, { operation: 'registerCase', cases: [] }])
  t.same([unread.target, unread.cases], [undefined, []], 'version 12 is no UUID: an entry has only ids of the contract')
  t.same((await bolat.get(`/v1/cases/${one.id}/access-log`)).statusCode, 404)

  const found = async (query: string) =>
    new Set((await entries(`${query}&limit=200`)).map(({ outcome }: { outcome: string }) => outcome))
  t.same(await found('outcome=refused'), new Set(['not-found', 'forbidden', 'action-not-allowed', 'invalid-request']))
  t.same(await found('outcome=done'), new Set(['done']))
  t.same(await found('outcome=failed'), new Set())
  t.same(await found('outcome=failed&outcome=forbidden&outcome=done'), new Set(['forbidden', 'done']))
  t.match((await samal.get('/v1/audit/entries?outcome=denied')).json(), {
    status: 400,
    errors: [{ pointer: '#/query/outcome/0', detail: /^Expected one of: done, refused, failed, / }],
  })
})

t.test('entries record signing in, failing to, and a reused refresh token', async t => {
  const { app, as, demonstration } = await startService(t)
  const samal = await as('auditor', 'oversight')
  const email = demonstration[0]?.email
  const post = (url: string, payload: object, remoteAddress = '127.0.0.1') =>
    app.inject({ method: 'POST', url, payload, remoteAddress })
  await post('/v1/sessions', { email, password: 'not the password of anybody' })
  await post('/v1/sessions', { email: 'nobody@nowhere.example', password: 'not the password of anybody' })
  const { refreshToken, account } = (await post('/v1/sessions', { email, password })).json()
  for (const address of ['127.0.0.1', '10.0.0.9']) await post('/v1/sessions/refresh', { refreshToken }, address)
  await post('/v1/sessions/refresh', { refreshToken: randomBytes(32).toString('base64url') })
  const { items: all } = (await samal.get('/v1/audit/entries?operation=signIn&operation=refreshSession')).json()
  const [unknown, ...items] = all
  t.match(unknown, { operation: 'refreshSession', outcome: 'unauthorized' })
  t.notOk('subject' in unknown, 'an unknown token has no subject')
  t.match(items, [
    { operation: 'refreshSession', outcome: 'unauthorized', subject: account.id, reason: 'token-reused' },
    { operation: 'refreshSession', outcome: 'done', subject: account.id },
    { operation: 'signIn', outcome: 'done', subject: account.id },
    { operation: 'signIn', outcome: 'wrong-credentials', subject: undefined },
    { operation: 'signIn', outcome: 'wrong-credentials', subject: account.id },
  ])
})

t.test('the owner of a case sees who read it: for other organisations only the organisation and the roles', async t => {
  const { as } = await startService(t)
  const [aliya, nurlan, kairat, asel] = [
    await as('officer', 'committee'),
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
    await as('caseworker', 'sunrise'),
  ]
  const one = await register(nurlan)
  await aliya.get(`/v1/cases/${one.id}`)
  await kairat.get(`/v1/cases/${one.id}`)
  await asel.get(`/v1/cases/${one.id}`)
  const log = async (query = '') => (await nurlan.get(`/v1/cases/${one.id}/access-log${query}`)).json()
  const { items } = await log()
  t.match(items, [
    { operation: 'getCase', account: kairat.account, zones: ['identity'], roles: ['supervisor'] },
    {
      operation: 'getCase',
      organisation: { name: /Committee/ },
      account: null,
      roles: ['officer'],
      grants: [{ purpose: 'status_determination', basis: 'statute' }],
    },
    { operation: 'registerCase', account: nurlan.account, grants: [{ purpose: 'case_management' }] },
  ])
  const { nextCursor } = await log('?limit=1')
  t.match((await log(`?limit=1&cursor=${nextCursor}`)).items, [{ operation: 'getCase', account: kairat.account }])
  for (const other of [aliya, asel]) t.equal((await other.get(`/v1/cases/${one.id}/access-log`)).statusCode, 404)
})

t.test('without an entry a request is refused and changes nothing', async t => {
  const service = await startService(t)
  const { as, superuser } = service
  const [asel, aliya] = [await as('caseworker', 'sunrise'), await as('officer', 'committee')]
  const one = await register(asel)
  await superuser`revoke insert on entries from app`
  const before = [
    ...(await superuser`select (select count(*) from cases) as cases, (select count(*) from case_events) as events`),
  ]
  const answers = [
    await asel.get(`/v1/cases/${one.id}`),
    await asel.get('/v1/cases'),
    await asel.post('/v1/cases/search', { names: ['x'] }),
    await asel.post('/v1/cases', registration(), idempotencyKey()),
    await asel.put(`/v1/cases/${one.id}/person/contact`, { phones: ['+77010000000'] }, ifMatch(0)),
    await aliya.post('/v1/imports', 'x', { 'content-type': 'text/csv' }),
    await following(one.id).stepOn(asel, 1, { action: 'start_assessment' }),
  ]
  await superuser`revoke insert on entries from definer`
  answers.push(await aliya.get(`/v1/cases/${one.id}`))
  t.same(
    answers.map(({ statusCode }) => statusCode),
    [503, 503, 503, 503, 503, 400, 503, 503],
  )
  t.same(
    [...(await superuser`select (select count(*) from cases) as cases, (select count(*) from case_events) as events`)],
    before,
  )
  await superuser`grant insert on entries to app, definer`
})

t.test(
  'entries are written once, for the own account only, and are read only through the function of the auditors',
  async t => {
    const service = await startService(t)
    const attempt = inSql(service)
    const [asel, aliya, samal] = [
      await service.as('caseworker', 'sunrise'),
      await service.as('supervisor', 'committee'),
      await service.as('auditor', 'oversight'),
    ]
    await register(asel)
    for (const who of [asel, aliya, samal])
      for (const text of [
        'select from entries',
        'update entries set outcome = outcome',
        'delete from entries',
        'truncate entries',
      ])
        t.equal(await attempt(who, text), '42501', text)
    for (const text of ['update entries set at = now()', 'delete from entries', 'truncate entries cascade'])
      t.match(
        await service.superuser.unsafe(text).catch(({ message }) => message),
        'forbidden',
        'a superuser cannot either',
      )
    const entry = (account: string, organisation: string) =>
      `insert into entries (id, at, operation, outcome, account_id, organisation_id, case_ids, content)
     values (gen_random_uuid(), now(), 'x', 'done', '${account}', '${organisation}', '{}', '')`
    t.equal(await attempt(asel, entry(asel.account, asel.organisation.id)), 'changed 1')
    t.equal(
      await attempt(asel, entry(aliya.account, aliya.organisation.id)),
      '42501',
      'an account cannot write an entry of another',
    )
    t.equal(await attempt(asel, entry(asel.account, aliya.organisation.id)), '42501')
    const read = 'select * from app.read_entries(null, null, null, null, null, null, null, null, 10)'
    t.equal(await attempt(aliya, read), 'QJ001 forbidden')
    t.match(await attempt(samal, read), /^changed [1-9]/)
  },
)

t.test('a route that does not declare what it audits is refused', async t => {
  const { db, keys } = await startService(t)
  const app = Fastify()
  t.teardown(() => app.close())
  audit(app, db, keys)
  const route = (config: object) => () => app.get(`/${Object.keys(config).join('-')}`, { config }, async () => '')
  t.throws(route({ permission: 'public' }), /does not declare what it audits/)
  t.doesNotThrow(route({ audit: 'nothing' }))
  t.doesNotThrow(route({ hidden: true }), 'pages of the API document read no case')
})
