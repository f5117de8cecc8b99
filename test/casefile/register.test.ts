import t from 'tap'
import { idempotencyKey, intake, registration, type Someone, startService } from '../support/service.ts'

const register = async (somebody: Someone, body: object) =>
  (await somebody.post('/v1/cases', body, idempotencyKey())).json()

t.test('a caseworker registers a person, and finds the case again with its history', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const response = await asel.post('/v1/cases', { ...registration(), externalId: 'form-118' }, idempotencyKey())
  t.equal(response.statusCode, 201)
  t.match(response.headers.etag, /^"1-[\da-f]{16}"$/)
  const made = response.json()
  t.match(made, { state: 'registered', outcome: null, owner: { kind: 'ngo' }, assigneeId: asel.account, withheld: [] })
  t.match(made.number, /^KZ-2021-\d{7}-\d$/)
  t.match(made.person.identity, {
    version: 1,
    names: [{ family: 'Әбдіғали' }],
    birth: { precision: 'year', year: 1961 },
  })
  const { possibleDuplicates, ...found } = made
  t.same(possibleDuplicates, [])
  t.same((await asel.get(String(response.headers.location))).json(), found)
  const { items } = (await asel.get(`/v1/cases/${made.id}/events`)).json()
  t.match(items, [
    { action: 'register', fromState: null, toState: 'registered', occurredOn: '2021-03-04', imported: false },
  ])
  const again = await asel.post('/v1/cases', { ...registration(), externalId: 'form-118' }, idempotencyKey())
  t.match(again.json(), { status: 409, type: '/problems/already-exists' })
  const early = await asel.post('/v1/cases', { ...registration(), registeredOn: '2999-01-01' }, idempotencyKey())
  t.match(early.json(), {
    status: 400,
    errors: [{ pointer: '#/registeredOn', detail: 'Expected today or an earlier day' }],
  })
})

t.test('an authority registers by statute, and its committee sees index and identity', async t => {
  const { as } = await startService(t)
  const [officer, committee, other] = [
    await as('officer', 'turkistan'),
    await as('officer', 'committee'),
    await as('officer', 'almaty-city'),
  ]
  t.equal((await officer.post('/v1/cases', registration(), idempotencyKey())).statusCode, 400, 'not by consent')
  const { id } = await register(officer, intake())
  t.match((await committee.get(`/v1/cases/${id}`)).json(), {
    person: { identity: { version: 1 } },
    withheld: ['contact', 'whereabouts', 'protection'],
  })
  t.equal((await other.get(`/v1/cases/${id}`)).statusCode, 404)
})

t.test('without a grant a case looks as if it did not exist', async t => {
  const { as, lines } = await startService(t)
  const owners = await Promise.all([
    as('caseworker', 'sunrise'),
    as('caseworker', 'common-home'),
    as('officer', 'turkistan'),
    as('officer', 'almaty-city'),
    as('caseworker', 'iom'),
  ])
  const everybody = [...owners, await as('officer', 'committee'), await as('officer', 'east-kazakhstan')]
  const canary = (owner: Someone) => `CANARY${owner.organisation.id.slice(0, 8)}`
  const made = await Promise.all(
    owners.map(async owner => {
      const body = ['ngo', 'iom'].includes(owner.organisation.kind)
        ? registration(canary(owner))
        : intake(canary(owner))
      return { owner, id: (await register(owner, body)).id as string }
    }),
  )
  const sees = ({ organisation }: Someone, owner: Someone) =>
    organisation.id === owner.organisation.id ||
    (organisation.kind === 'committee' && owner.organisation.kind === 'division')
  for (const somebody of everybody) {
    const list = (await somebody.get('/v1/cases')).json()
    t.same(
      list.items.map(({ id }: { id: string }) => id).sort(),
      made
        .filter(({ owner }) => sees(somebody, owner))
        .map(({ id }) => id)
        .sort(),
    )
    for (const { owner, id } of made) {
      for (const path of ['', '/events']) {
        const response = await somebody.get(`/v1/cases/${id}${path}`)
        t.equal(response.statusCode, sees(somebody, owner) ? 200 : 404)
        if (sees(somebody, owner)) continue
        const never = await somebody.get(`/v1/cases/${crypto.randomUUID()}${path}`)
        const plain = ({ instance: _, requestId: __, ...rest }: Record<string, unknown>) => rest
        t.same(plain(response.json()), plain(never.json()))
        t.notMatch(response.body, /CANARY/)
      }
    }
  }
  for (const line of lines) t.notMatch(line, /CANARY/)
})
