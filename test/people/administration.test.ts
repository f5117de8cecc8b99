import t from 'tap'
import { type Someone, startService } from '../support/service.ts'

const accountOf = async (somebody: Someone, email: string) =>
  (await somebody.get('/v1/accounts?limit=200'))
    .json()
    .items.find((account: { email: string }) => account.email === email)

t.test(
  'a supervisor manages the accounts of their organisation, a committee’s also those of its divisions',
  async t => {
    const { as } = await startService(t)
    const [ngo, committee, division] = [
      await as('supervisor', 'sunrise'),
      await as('supervisor', 'committee'),
      await as('supervisor', 'turkistan'),
    ]
    const kinds = async (somebody: Someone) =>
      new Set(
        (await somebody.get('/v1/accounts?limit=200'))
          .json()
          .items.map((account: { organisation: { id: string } }) => account.organisation.id),
      ).size
    t.same([await kinds(ngo), await kinds(committee), await kinds(division)], [1, 4, 1])

    const newcomer = { email: 'New@Sunrise.example', name: 'New', roles: ['caseworker'] }
    const invited = await ngo.post('/v1/accounts', newcomer)
    t.equal(invited.statusCode, 201)
    t.match(invited.json(), { email: 'new@sunrise.example', status: 'invited', enrolmentCode: /^[\w-]{16}$/ })
    t.match((await ngo.post('/v1/accounts', newcomer)).json(), { status: 409, type: '/problems/already-exists' })
    t.match((await ngo.post('/v1/accounts', { ...newcomer, email: 'o@sunrise.example', roles: ['officer'] })).json(), {
      status: 400,
      errors: [{ pointer: '#/roles' }],
    })
    const elsewhere = {
      ...newcomer,
      email: 'e@x.example',
      organisationId: division.organisation.id,
      roles: ['officer'],
    }
    t.equal((await ngo.post('/v1/accounts', elsewhere)).statusCode, 404)
    t.equal(
      (await division.post('/v1/accounts', { ...elsewhere, organisationId: ngo.organisation.id })).statusCode,
      404,
    )
    t.equal((await committee.post('/v1/accounts', elsewhere)).statusCode, 201)
    t.equal(
      (await ngo.get(`/v1/accounts/${division.account}`)).statusCode,
      404,
      'another organisation’s account is not there',
    )
    t.equal(
      (await ngo.patch(`/v1/accounts/${division.account}`, { status: 'disabled' }, { 'if-match': '"1"' })).statusCode,
      404,
    )
  },
)

t.test('who is disabled, or loses a role, loses it at once', async t => {
  const { as } = await startService(t)
  const [supervisor, caseworker] = [await as('supervisor', 'sunrise'), await as('caseworker', 'sunrise')]
  t.equal((await caseworker.get('/v1/me')).statusCode, 200)
  const { id, version } = await accountOf(supervisor, caseworker.email)
  const disabled = await supervisor.patch(`/v1/accounts/${id}`, { status: 'disabled' }, { 'if-match': `"${version}"` })
  t.match(disabled.json(), { status: 'disabled', version: version + 1 })
  t.equal((await caseworker.get('/v1/me')).statusCode, 401)
  await supervisor.patch(`/v1/accounts/${id}`, { status: 'active' }, { 'if-match': `"${version + 1}"` })
  t.equal((await caseworker.get('/v1/me')).statusCode, 401, 'their sessions ended with it')
})

t.test('the last supervisor stays, even when two end each other at once', async t => {
  const { as } = await startService(t)
  const [one, two] = [await as('supervisor', 'sunrise'), await as('supervisor', 'sunrise', 1)]
  const end = (who: Someone, whom: Someone) =>
    who.patch(`/v1/accounts/${whom.account}`, { status: 'disabled' }, { 'if-match': '"1"' })
  const statuses = (await Promise.all([end(one, two), end(two, one)])).map(({ statusCode }) => statusCode)
  t.equal(statuses.filter(status => status === 200).length, 1, String(statuses))
  const left = statuses[0] === 200 ? one : two
  t.match((await end(left, left)).json(), { status: 409, type: '/problems/last-supervisor' })
  const demote = { roles: ['caseworker'] }
  t.equal((await left.patch(`/v1/accounts/${left.account}`, demote, { 'if-match': '"1"' })).statusCode, 409)
})

t.test('an administrator founds an organisation, and leaves its accounts alone', async t => {
  const { as, organisation } = await startService(t)
  const [administrator, caseworker] = [await as('administrator', 'operator'), await as('caseworker', 'sunrise')]
  const first = { email: 'head@door.example', name: 'Dana' }
  const ngo = { kind: 'ngo', name: 'Open Door', shortName: 'open-door', first }
  const founded = await administrator.post('/v1/organisations', ngo)
  t.equal(founded.statusCode, 201)
  t.match(founded.json(), { kind: 'ngo', regions: [], enrolmentCode: /^[\w-]{16}$/ })
  t.notOk(await accountOf(administrator, first.email), 'its first account is not the administrator’s to see')
  t.equal(
    (
      await administrator.post('/v1/accounts', {
        email: 'x@door.example',
        name: 'X',
        roles: ['caseworker'],
        organisationId: founded.json().id,
      })
    ).statusCode,
    404,
  )
  t.equal((await administrator.post('/v1/organisations', ngo)).statusCode, 409)
  t.equal((await administrator.get('/v1/cases')).statusCode, 403, 'and no case is theirs either')

  const division = {
    kind: 'division',
    name: 'Division of Shymkent',
    shortName: 'shymkent',
    first: { ...first, email: 'a@shymkent.example' },
  }
  t.match((await administrator.post('/v1/organisations', division)).json(), {
    status: 400,
    errors: [{ pointer: '#/parentId' }],
  })
  const under = (parentId: string, regions: string[]) =>
    administrator.post('/v1/organisations', { ...division, parentId, regions })
  t.match((await under(organisation('sunrise').id, [])).json(), { status: 400, errors: [{ pointer: '#/parentId' }] })
  t.match((await under(organisation('committee').id, ['KZ-99'])).json(), {
    status: 400,
    errors: [{ pointer: '#/regions' }],
  })
  t.equal((await under(organisation('committee').id, ['KZ-79'])).statusCode, 201)
  const found = (await caseworker.get('/v1/organisations?kind=division&region=KZ-79')).json().items
  t.match(found, [{ shortName: 'shymkent', regions: ['KZ-79'] }], 'a caseworker finds the division for a region')
})

t.test('the map of a day has the regions and the names of that day', async t => {
  const { as } = await startService(t)
  const somebody = await as('auditor', 'oversight')
  const map = async (asOf: string) => {
    const { items } = (await somebody.get(`/v1/regions?asOf=${asOf}`)).json()
    return new Map<string, string>(
      items.map(({ code, label }: { code: string; label: { en: string } }) => [code, label.en]),
    )
  }
  const [before, after] = [await map('2021-05-01'), await map('2022-06-08')]
  t.same([before.size, after.size], [17, 20])
  for (const code of ['KZ-10', 'KZ-33', 'KZ-62']) t.same([before.has(code), after.has(code)], [false, true], code)
  t.same([before.get('KZ-71'), (await map('2026-01-01')).get('KZ-71')], ['Nur-Sultan', 'Astana'])
  const { items } = (await somebody.get('/v1/code-lists/outcome')).json()
  t.match(
    items.find(({ code }: { code: string }) => code === 'kz_citizenship_confirmed'),
    {
      polarity: 'positive',
      needsDocument: true,
      label: { en: String, ru: /\p{Script=Cyrillic}/u, kk: /\p{Script=Cyrillic}/u },
      source: String,
      verified: Boolean,
    },
  )
  t.equal((await somebody.get('/v1/code-lists/none')).statusCode, 404)
  t.ok((await somebody.get('/v1/terms')).json().items.every(({ source }: { source: string }) => source))
})
