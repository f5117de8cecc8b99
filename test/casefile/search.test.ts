import t from 'tap'
import { identify } from '../../src/casefile/zones/identifiers.ts'
import { decision, document, register, takenUp } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, type Someone, startService } from '../support/service.ts'

const iin = '900101300007'
const identity = {
  ...registration().person.identity,
  iin,
  documents: [{ type: 'ussr_passport', number: 'VII-АЛ 123456' }],
}

t.test('a search finds cases by the data of the person, if they are open to the caller', async t => {
  const { as } = await startService(t)
  const [asel, zarina, nurlan, kairat] = [
    await as('caseworker', 'sunrise'),
    await as('caseworker', 'common-home'),
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
  ]
  const [mine, theirs] = [
    await register(asel, { person: { identity } }),
    await register(zarina, { person: { identity } }),
  ]
  const found = async (who: Someone, body: object) =>
    (await who.post('/v1/cases/search', body)).json().items?.map(({ id }: { id: string }) => id)
  for (const body of [
    { iin },
    { documentNumber: 'vii-ал123456' },
    { names: ['әбдіғали'] },
    { names: ['ҚАЙРАТ', ' Әбдіғали '] },
  ]) {
    t.same(await found(asel, body), [mine.id], JSON.stringify(body))
    t.same(await found(zarina, body), [theirs.id])
    t.same(await found(nurlan, body), [])
  }
  const { number } = await mine.read(asel)
  t.same(await found(asel, { number: number.toLowerCase() }), [mine.id])
  t.same(await found(zarina, { number }), [])
  t.same(await found(asel, { number, names: ['Қайрат'] }), [mine.id], 'all criteria must match')
  t.same(await found(asel, { number, names: ['Болат'] }), [])
  t.equal((await asel.post('/v1/cases/search', {})).statusCode, 400)
  t.equal((await asel.post('/v1/cases/search', { iin: '000000000000' })).statusCode, 400)

  await asel.put(
    `/v1/cases/${mine.id}/person/identity`,
    { ...identity, names: [{ kind: 'official', family: 'Омаров' }] },
    ifMatch(1),
  )
  t.same(await found(asel, { names: ['Әбдіғали'] }), [], 'only the newest version counts')
  t.same(await found(asel, { names: ['Омаров'] }), [mine.id])

  const own = await takenUp(nurlan)
  await own.together(nurlan, kairat, decision)
  await own.step(nurlan, { action: 'open_documentation' })
  await own.together(nurlan, kairat, document('KZ 1'))
  t.same(await found(nurlan, { documentNumber: 'kz1' }), [own.id], 'also by the document that the person received')
  t.same(await found(nurlan, { iin }), [own.id])
  t.same(await found(asel, { documentNumber: 'kz1' }), [])
})

t.test('a name with the same short hash as another is opened, compared and left out, on every page', async t => {
  const { as, superuser, keys } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const named = []
  for (let n = 0; n < 12; n++)
    named.push(await register(asel, { person: registration(n % 3 ? 'Омаров' : 'Ахметов').person }))
  await superuser`
    insert into identifiers (case_id, version, kind, hmac)
    select id, 1, 'name', decode(${identify.name(keys, 'Ахметов')}, 'hex') from cases on conflict do nothing`
  const wanted = named.filter((_, n) => n % 3 === 0).map(({ id }) => id)
  const found: string[] = []
  for (let path: string | undefined = '/v1/cases/search?limit=1'; path; ) {
    const reply = await asel.post(path, { names: ['ахметов'] })
    found.push(...reply.json().items.map(({ id }: { id: string }) => id))
    path = /<([^>]+)>/.exec(String(reply.headers.link ?? ''))?.[1]
  }
  t.same(found, wanted.toReversed())
})

t.test('a registration lists the cases open to the caller with the same number, and no others', async t => {
  const { as } = await startService(t)
  const [asel, zarina] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const post = async (who: Someone) =>
    (await who.post('/v1/cases', { ...registration(), person: { identity } }, idempotencyKey())).json()
  const first = await post(zarina)
  const second = await post(asel)
  t.same(first.possibleDuplicates, [])
  t.same(second.possibleDuplicates, [], 'a case of another organisation is not listed')
  const third = await post(asel)
  t.same(third.possibleDuplicates, [{ id: second.id, number: second.number }])
})

t.test('a caseworker links the cases of a family, and a link is visible to those who see both cases', async t => {
  const { as } = await startService(t)
  const [nurlan, aliya, bolat] = [
    await as('officer', 'turkistan'),
    await as('officer', 'committee'),
    await as('officer', 'almaty-city'),
  ]
  const [mother, child, stranger] = [await register(nurlan), await register(nurlan), await register(bolat)]
  const relate = (who: Someone, from: string, to: string, kind = 'child') =>
    who.post(`/v1/cases/${from}/relations`, { kind, caseId: to }, idempotencyKey())
  const made = await relate(nurlan, mother.id, child.id)
  t.match(made.json(), { kind: 'child', case: { id: child.id } })
  const relations = async (who: Someone, id: string) => (await who.get(`/v1/cases/${id}/relations`)).json().items
  t.match(
    await relations(nurlan, child.id),
    [{ kind: 'parent', case: { id: mother.id } }],
    'the link is listed on the other case too',
  )
  t.match(await relations(aliya, child.id), [{ kind: 'parent' }], 'the committee sees both cases')
  t.equal((await relate(nurlan, child.id, mother.id, 'parent')).statusCode, 409, 'a link is made once')
  t.equal((await relate(nurlan, mother.id, mother.id)).statusCode, 400)
  t.match((await relate(nurlan, mother.id, stranger.id)).json(), { status: 400, errors: [{ pointer: '#/caseId' }] })
  t.match(
    (await relate(nurlan, mother.id, crypto.randomUUID())).json(),
    { status: 400, errors: [{ pointer: '#/caseId' }] },
    'as for a case that does not exist',
  )
  t.equal((await relate(aliya, mother.id, child.id)).statusCode, 403)
  t.equal((await relate(bolat, mother.id, stranger.id)).statusCode, 404)
  t.equal((await bolat.get(`/v1/cases/${mother.id}/relations`)).statusCode, 404)
  const link = `/v1/cases/${mother.id}/relations/${made.json().id}`
  t.same((await nurlan.get(link)).json(), made.json())
  t.equal(made.headers.location, link)
  t.equal((await bolat.get(link)).statusCode, 404)
  t.equal((await nurlan.get(`/v1/cases/${stranger.id}/relations/${made.json().id}`)).statusCode, 404)
  t.equal((await bolat.delete(link)).statusCode, 404)
  t.equal((await aliya.delete(link)).statusCode, 403)
  t.equal((await nurlan.delete(link)).statusCode, 204)
  t.same(await relations(nurlan, child.id), [])
  t.equal((await nurlan.get(link)).statusCode, 404, 'it has ended')
  t.equal((await relate(nurlan, child.id, mother.id, 'parent')).statusCode, 201)
})

t.test('a list is filtered, and contains each case once', async t => {
  const { as, travel } = await startService(t)
  const [asel, dina, aliya] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('officer', 'committee'),
  ]
  const nurlan = await as('officer', 'turkistan')
  const [first, second, own] = [
    await register(asel),
    await register(asel, { regionCode: 'KZ-61', category: 'no_document' }),
    await takenUp(nurlan),
  ]
  await first.step(asel, { action: 'start_assessment' })
  const ids = async (who: Someone, query: string) =>
    (await who.get(`/v1/cases?${query}`)).json().items.map(({ id }: { id: string }) => id)
  t.same(await ids(asel, ''), [second.id, first.id])
  t.same(await ids(asel, 'state=assessment'), [first.id])
  t.same(await ids(asel, 'state=registered&state=assessment&state=assessment'), [second.id, first.id])
  t.same(await ids(asel, 'region=KZ-61&category=no_document'), [second.id])
  t.same(await ids(asel, `assignee=${asel.account}`), [second.id, first.id])
  t.same(await ids(asel, `assignee=${dina.account}`), [])
  t.same(await ids(aliya, `handler=${nurlan.organisation.id}`), [own.id])
  t.same(await ids(aliya, `assignee=${nurlan.account}`), [], 'accounts of other organisations are hidden')
  t.same(await ids(asel, 'overdue=true'), [second.id], 'registered in 2021, and never assessed')
  await travel(1)
  t.same(await ids(asel, 'overdue=false'), [first.id])
  t.equal((await asel.get('/v1/cases?shoe=43')).statusCode, 400)
})
