import t from 'tap'
import { type Someone, startService } from '../support/service.ts'

const accountOf = async (reader: Someone, email: string) =>
  (await reader.get('/v1/accounts?limit=200'))
    .json()
    .items.find((account: { email: string }) => account.email === email)

t.test(
  'a supervisor manages the accounts of their organisation; a committee’s supervisor also those of its divisions',
  async t => {
    const { as } = await startService(t)
    const [ngo, committee, division] = [
      await as('supervisor', 'sunrise'),
      await as('supervisor', 'committee'),
      await as('supervisor', 'turkistan'),
    ]
    const kinds = async (reader: Someone) =>
      new Set(
        (await reader.get('/v1/accounts?limit=200'))
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
      'an account of another organisation is not found',
    )
    t.equal(
      (await ngo.patch(`/v1/accounts/${division.account}`, { status: 'disabled' }, { 'if-match': '"1"' })).statusCode,
      404,
    )
  },
)

t.test('the sessions of an organisation that was closed stay ended when it is active again', async t => {
  const { as } = await startService(t)
  const [admin, zarina] = [await as('administrator', 'operator'), await as('caseworker', 'common-home')]
  const url = `/v1/organisations/${zarina.organisation.id}`
  const set = async (status: string, version: number) =>
    (await admin.patch(url, { status }, { 'if-match': `"${version}"` })).statusCode
  t.equal((await zarina.get('/v1/me')).statusCode, 200)
  t.equal(await set('closing', 1), 200)
  t.equal((await zarina.get('/v1/me')).statusCode, 200, 'its people go on')
  t.equal(await set('closed', 2), 200)
  t.equal(await set('active', 3), 200)
  t.equal((await zarina.get('/v1/me')).statusCode, 401)
})

t.test('invitations to addresses that are taken count as guesses', async t => {
  const { as } = await startService(t)
  const ngo = await as('supervisor', 'sunrise')
  const invite = async (email: string) =>
    (await ngo.post('/v1/accounts', { email, name: 'New', roles: ['caseworker'] })).statusCode
  for (let n = 0; n < 8; n++) t.equal(await invite(`new${n}@sunrise.example`), 201, 'new ones cost nothing')
  const answers = []
  for (let n = 0; n < 7; n++) answers.push(await invite('aliya@committee.example'))
  t.same(answers.slice(0, 5), [409, 409, 409, 409, 409])
  t.ok(answers.slice(5).includes(429))
})

t.test('a disabled account loses its access at once', async t => {
  const { as } = await startService(t)
  const [supervisor, caseworker] = [await as('supervisor', 'sunrise'), await as('caseworker', 'sunrise')]
  t.equal((await caseworker.get('/v1/me')).statusCode, 200)
  const { id, version } = await accountOf(supervisor, caseworker.email)
  const disabled = await supervisor.patch(`/v1/accounts/${id}`, { status: 'disabled' }, { 'if-match': `"${version}"` })
  t.match(disabled.json(), { status: 'disabled', version: version + 1 })
  t.equal((await caseworker.get('/v1/me')).statusCode, 401)
  await supervisor.patch(`/v1/accounts/${id}`, { status: 'active' }, { 'if-match': `"${version + 1}"` })
  t.equal((await caseworker.get('/v1/me')).statusCode, 401, 'the sessions stay ended after the account is active again')
})

t.test('the last supervisor cannot be disabled, even if two disable each other at the same time', async t => {
  const { as } = await startService(t)
  const [one, two] = [await as('supervisor', 'sunrise'), await as('supervisor', 'sunrise', 1)]
  const disable = (who: Someone, other: Someone) =>
    who.patch(`/v1/accounts/${other.account}`, { status: 'disabled' }, { 'if-match': '"1"' })
  const statuses = (await Promise.all([disable(one, two), disable(two, one)])).map(({ statusCode }) => statusCode)
  t.equal(statuses.filter(status => status === 200).length, 1, String(statuses))
  const left = statuses[0] === 200 ? one : two
  t.match((await disable(left, left)).json(), { status: 409, type: '/problems/last-supervisor' })
  const demote = { roles: ['caseworker'] }
  t.equal((await left.patch(`/v1/accounts/${left.account}`, demote, { 'if-match': '"1"' })).statusCode, 409)
})

t.test('an administrator founds an organisation, but cannot manage its accounts', async t => {
  const { as, organisation } = await startService(t)
  const [administrator, caseworker] = [await as('administrator', 'operator'), await as('caseworker', 'sunrise')]
  const first = { email: 'head@door.example', name: 'Dana' }
  const ngo = { kind: 'ngo', name: 'Open Door', shortName: 'open-door', first }
  const founded = await administrator.post('/v1/organisations', ngo)
  t.equal(founded.statusCode, 201)
  t.match(founded.json(), { kind: 'ngo', regions: [], enrolmentCode: /^[\w-]{16}$/ })
  t.notOk(await accountOf(administrator, first.email), 'the administrator does not see its first account')
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
  t.equal((await administrator.get('/v1/cases')).statusCode, 403, 'the administrator sees no cases')

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

t.test('the regions of a day have the codes and names of that day', async t => {
  const { as } = await startService(t)
  const auditor = await as('auditor', 'oversight')
  const map = async (asOf: string) => {
    const { items } = (await auditor.get(`/v1/regions?asOf=${asOf}`)).json()
    return new Map<string, string>(
      items.map(({ code, label }: { code: string; label: { en: string } }) => [code, label.en]),
    )
  }
  const [before, after] = [await map('2021-05-01'), await map('2022-06-08')]
  t.same([before.size, after.size], [17, 20])
  for (const code of ['KZ-10', 'KZ-33', 'KZ-62']) t.same([before.has(code), after.has(code)], [false, true], code)
  t.same([before.get('KZ-71'), (await map('2026-01-01')).get('KZ-71')], ['Nur-Sultan', 'Astana'])
  const { items } = (await auditor.get('/v1/code-lists/outcome')).json()
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
  t.equal((await auditor.get('/v1/code-lists/none')).statusCode, 404)
  t.ok((await auditor.get('/v1/terms')).json().items.every(({ source }: { source: string }) => source))
})

t.test('everybody finds the people of the own organisation by name, and of no other', async t => {
  const { as } = await startService(t)
  const [dina, asel, zarina, samal] = [
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'sunrise'),
    await as('caseworker', 'common-home'),
    await as('auditor', 'oversight'),
  ]
  const invited = { email: 'laura@sunrise.example', name: 'Laura', roles: ['caseworker'] }
  const { id } = (await dina.post('/v1/accounts', invited)).json()
  const names = async (who: Someone) =>
    (await who.get('/v1/colleagues'))
      .json()
      .items.map(({ name, active }: { name: string; active: boolean }) => [name, active])
  const sunrise = [
    ['Asel', true],
    ['Dina', true],
    ['Laura', false],
    ['Pavel', true],
    ['Ruslan', true],
  ]
  t.same([await names(dina), await names(asel)], [sunrise, sunrise])
  const { items } = (await asel.get('/v1/colleagues')).json()
  t.same(
    items.find((one: { id: string }) => one.id === id),
    { id, name: 'Laura', roles: ['caseworker'], active: false },
    'and no e-mail address',
  )
  t.same(
    (await names(zarina)).map(([name]: string[]) => name),
    ['Anton', 'Igor', 'Kamila', 'Zarina'],
  )
  t.same(
    (await names(samal)).map(([name]: string[]) => name),
    ['Rustem', 'Samal'],
  )
})
