import postgres from 'postgres'
import t from 'tap'
import { openTo } from '../support/opening.ts'
import { decision, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, intake, registration, type Someone, startService } from '../support/service.ts'

const contact = { phones: ['+77010000000'], instructions: 'After 18:00' }
const protection = { causes: ['trafficking_or_exploitation'], mustNotBeKnownTo: ['UZB'] }

t.test('each zone is one document, replaced as a whole, and every version is kept', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { id, read, version } = await register(asel)
  const url = `/v1/cases/${id}/person/contact`
  const empty = await asel.get(url)
  t.same(empty.json(), { version: 0, writtenAt: null, writtenBy: null, content: null, notices: [] })
  t.match(empty.headers.etag, /^"0-[\da-f]{16}"$/)
  t.equal((await asel.put(url, contact)).statusCode, 428)
  const first = await asel.put(url, contact, ifMatch(0))
  t.match(first.json(), { version: 1, content: contact })
  t.equal((await asel.put(url, {}, ifMatch(0))).statusCode, 412, 'a version that was not read cannot be overwritten')
  t.equal((await asel.put(url, { phones: ['8 701'], shoeSize: 43 }, ifMatch(1))).statusCode, 400)
  t.match((await asel.put(url, { phones: ['8 701'], shoeSize: 43 }, ifMatch(1))).json().errors, [
    { pointer: '#/phones/0' },
    { pointer: '#/shoeSize' },
  ])
  t.match((await asel.put(url, { emails: ['a@b.example'] }, ifMatch(1))).json(), { version: 2 })
  t.match((await asel.get(`${url}/versions`)).json().items, [
    { version: 2, content: { emails: ['a@b.example'] } },
    { version: 1, content: contact },
  ])
  t.match((await read(asel)).person, { identity: { version: 1 }, contact: { version: 2 } })
  t.equal(await version(asel), 1, 'the version of the case does not change')
})

t.test('a registration writes all zones, and names the representative of a child', async t => {
  const { as, superuser } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const whole = registration()
  const person = {
    ...whole.person,
    contact,
    whereabouts: { addresses: [{ kind: 'residence', regionCode: 'KZ-75', text: 'Some street' }] },
    protection,
  }
  const made = (await asel.post('/v1/cases', { ...whole, person }, idempotencyKey())).json()
  t.match(made.person, {
    identity: { version: 1 },
    contact: { version: 1 },
    whereabouts: { version: 1 },
    protection: { version: 1, ...protection },
  })
  t.match(made.basis, { kind: 'consent', method: 'written', representative: null })

  const born = (birth: object, representative?: object) => ({
    ...whole,
    basis: { ...whole.basis, ...(representative && { representative }) },
    person: { identity: { ...whole.person.identity, birth } },
  })
  const status = async (body: object) => (await asel.post('/v1/cases', body, idempotencyKey())).statusCode
  for (const birth of [
    { precision: 'day', date: '2003-03-05' },
    { precision: 'year', year: 2003 },
    { precision: 'range', from: '1980-01-01', to: '2004-01-01' },
    { precision: 'unknown' },
  ])
    t.equal(await status(born(birth)), 400, `${JSON.stringify(birth)} could be a child`)
  for (const birth of [
    { precision: 'day', date: '2003-03-04' },
    { precision: 'month', month: '2003-02' },
    { precision: 'year', year: 2002 },
  ])
    t.equal(await status(born(birth)), 201, `${JSON.stringify(birth)} is of age on the day`)
  t.equal(await status(born({ precision: 'year', year: 2015 }, { kind: 'parent' })), 400, 'a parent needs a name')
  const child = (
    await asel.post(
      '/v1/cases',
      born({ precision: 'year', year: 2015 }, { kind: 'parent', name: 'Gulmira' }),
      idempotencyKey(),
    )
  ).json()
  t.equal(child.basis.representative, 'parent')
  t.match((await asel.get(`/v1/cases/${child.id}/events`)).json().items, [{ text: { representative: 'Gulmira' } }])
  t.same((await superuser`select representative from grants where case_id = ${child.id}`)[0], {
    representative: 'parent',
  })

  for (const [pointer, fault] of Object.entries({
    '#/category': { category: 'nothing' },
    '#/causes/0': { causes: ['trafficking_or_exploitation'] },
    '#/regionCode': { regionCode: 'KZ-10' },
    '#/basis/kind': { basis: intake().basis },
    '#/person/protection/causes/0': { person: { ...whole.person, protection: { causes: ['nothing'] } } },
    '#/person/whereabouts/addresses/0/regionCode': {
      person: { ...whole.person, whereabouts: { addresses: [{ kind: 'residence', regionCode: 'XX', text: 'x' }] } },
    },
    '#/person/identity/iin': { person: { identity: { ...whole.person.identity, iin: '900101300018' } } },
  }))
    t.match(
      (await asel.post('/v1/cases', { ...whole, ...fault }, idempotencyKey())).json().errors,
      [{ pointer }],
      pointer,
    )
})

t.test('protection opens to the assignee and to supervisors, within the owner', async t => {
  const { as } = await startService(t)
  const [asel, ruslan, dina] = [
    await as('caseworker', 'sunrise'),
    await as('caseworker', 'sunrise', 1),
    await as('supervisor', 'sunrise'),
  ]
  const whole = registration()
  const { id, read, version } = await register(asel, { person: { ...whole.person, protection } })
  const url = `/v1/cases/${id}/person/protection`
  t.match(await read(ruslan), { withheld: ['protection'], person: { identity: {}, protection: undefined } })
  for (const path of [url, `${url}/versions`]) {
    t.equal((await ruslan.get(path)).statusCode, 404)
    t.equal((await dina.get(path)).statusCode, 200)
    t.equal((await asel.get(path)).statusCode, 200)
  }
  t.equal((await ruslan.put(url, {}, ifMatch(1))).statusCode, 404)
  const assign = async (who: typeof asel, assigneeId: string) =>
    who.patch(`/v1/cases/${id}`, { assigneeId }, ifMatch(await version(who)))
  t.equal((await assign(ruslan, ruslan.account)).statusCode, 403, 'a caseworker cannot assign the case to themselves')
  t.match((await assign(dina, crypto.randomUUID())).json().errors, [{ pointer: '#/assigneeId' }])
  t.match((await assign(dina, (await as('caseworker', 'iom')).account)).json().errors, [{ pointer: '#/assigneeId' }])
  t.match((await assign(dina, ruslan.account)).json(), { assigneeId: ruslan.account, version: 2, withheld: [] })
  t.match(await read(asel), { withheld: ['protection'] })
  t.match((await ruslan.put(url, { remarks: 'Moved to a shelter' }, ifMatch(1))).json(), { version: 2 })
})

t.test('only the owner writes, and others see the zones that their grants name', async t => {
  const { as } = await startService(t)
  const [nurlan, aliya, bolat] = [
    await as('officer', 'turkistan'),
    await as('officer', 'committee'),
    await as('officer', 'almaty-city'),
  ]
  const { id, read } = await register(nurlan, { person: { ...registration().person, contact } })
  t.match(await read(aliya), {
    person: { identity: { version: 1 } },
    withheld: ['contact', 'whereabouts', 'protection'],
    assigneeId: null,
    basis: null,
  })
  t.equal((await aliya.get(`/v1/cases/${id}/person/contact`)).statusCode, 404)
  t.equal(
    (await aliya.put(`/v1/cases/${id}/person/identity`, registration().person.identity, ifMatch(1))).statusCode,
    403,
  )
  t.equal(
    (await bolat.put(`/v1/cases/${id}/person/identity`, registration().person.identity, ifMatch(1))).statusCode,
    404,
  )
})

t.test('a grant for one zone shows the index and that zone, and nothing that belongs to the others', async t => {
  const { as, superuser, endpoint } = await startService(t)
  const [nurlan, kairat, zarina] = [
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
    await as('caseworker', 'common-home'),
  ]
  const one = await register(nurlan, { person: { ...registration().person, contact } })
  for (const action of ['start_assessment', 'take_up']) await one.step(nurlan, { action })
  await one.step(nurlan, { action: 'amend', category: 'lost_document', reason: 'A word of the division' })
  await one.together(nurlan, kairat, decision)
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  await openTo(superuser, one.id, nurlan, zarina, { zone: 'contact', until: tomorrow })
  await superuser`insert into documents (event_id, case_id, committee_id, type, number_hmac, content, issued_on)
    select id, case_id, organisation_id, 'citizen_passport', '\\x00', '{}', now() from case_events where case_id = ${one.id} limit 1`
  t.match(await one.read(zarina), {
    state: 'decided',
    withheld: ['identity', 'whereabouts', 'protection'],
    allowedActions: [],
    assigneeId: null,
    basis: null,
  })
  t.same(Object.keys((await one.read(zarina)).person), ['contact'])
  for (const path of ['decisions', 'documents', 'person/identity', 'person/identity/versions', 'person/protection'])
    t.equal((await zarina.get(`/v1/cases/${one.id}/${path}`)).statusCode, 404, path)
  t.same(
    (await zarina.post('/v1/cases/search', { names: ['Әбдіғали'] })).json().items,
    [],
    'a name does not find the case without the identity',
  )
  const { items } = (await zarina.get(`/v1/cases/${one.id}/events`)).json()
  t.same(
    items.map(({ text, accountId }: Record<string, unknown>) => [text, accountId]),
    items.map(() => [null, null]),
    'the events are listed without texts and accounts',
  )
  t.same((await zarina.get('/v1/proposals')).json().items, [])
  t.equal((await one.step(zarina, { action: 'withdraw' })).statusCode, 409, 'it cannot act on the case')

  const sql = postgres({ ...endpoint('app'), max: 1 })
  t.teardown(() => sql.end())
  await sql.begin(async tx => {
    const settings = {
      'app.org': zarina.organisation.id,
      'app.account': zarina.account,
      'app.actor': '{"roles":["supervisor"],"kind":"ngo"}',
    }
    for (const [name, value] of Object.entries(settings)) await tx`select set_config(${name}, ${value}, true)`
    const seen = async (table: string) => (await tx.unsafe(`select from ${table} where case_id = '${one.id}'`)).count
    for (const table of ['decisions', 'documents', 'identifiers', 'event_texts', 'proposals'])
      t.equal(await seen(table), 0, table)
    t.equal(await seen('zone_versions'), 1, 'only the contact')
    t.equal(await seen('case_events'), items.length)
  })
})

t.test('each version has the colleague who wrote it, and null for other organisations', async t => {
  const { as, superuser } = await startService(t)
  const [asel, dina, marta] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'iom'),
  ]
  const { id } = await register(asel)
  await openTo(superuser, id, asel, marta)
  const url = `/v1/cases/${id}/person/identity`
  await dina.put(url, registration('Сағынбай').person.identity, ifMatch(1))
  const writers = async (who: Someone) =>
    (await who.get(`${url}/versions`)).json().items.map(({ writtenBy }: { writtenBy: object }) => writtenBy)
  const [first, second] = [
    { id: asel.account, name: 'Asel' },
    { id: dina.account, name: 'Dina' },
  ]
  t.same(await writers(asel), [second, first])
  t.match((await asel.get(url)).json(), { writtenBy: second })
  t.same(await writers(marta), [null, null])
  t.match((await marta.get(url)).json(), { version: 2, writtenBy: null })
})
