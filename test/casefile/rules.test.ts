import t from 'tap'
import { file, imported, row } from '../support/imports.ts'
import { consent, decision, document, following, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, intake, registration, startService } from '../support/service.ts'

const person = registration().person.identity
const born = (date: string) => ({ ...person, birth: { precision: 'day', date } })

t.test('an IIN that nobody can have is refused, and one that contradicts the person is noticed', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { id } = await register(asel)
  let version = 1
  const put = async (identity: object) => {
    const response = (await asel.put(`/v1/cases/${id}/person/identity`, identity, ifMatch(version))).json()
    version = response.version ?? version
    return response
  }
  for (const [what, iin] of [
    ['month 13', '921329300003'],
    ['day 32', '920132300006'],
    ['30 February', '920230300002'],
    ['29 February 1900', '000229300005'],
    ['seventh digit 9', '920101900009'],
    ['a company (BIN)', '120440100004'],
    ['eleven digits', '61211600012'],
    ['check digit', '900101300018'],
  ] as const) {
    const { errors } = await put({ ...person, iin })
    t.match(errors, [{ pointer: '#/iin' }], what)
    t.equal(errors.length, 1)
    t.notMatch(errors[0].detail, iin, 'without the value')
  }
  const notices = async (identity: object) => {
    const reply = await put(identity)
    const { notices } = (await asel.get(`/v1/cases/${id}`)).json()
    t.same(
      notices,
      reply.notices.map((notice: { code: string; pointer: string }) => ({
        ...notice,
        pointer: notice.pointer.replace('#', '#/person/identity'),
      })),
      'the case has what the reply had',
    )
    return reply.notices
  }
  const woman = '850715400004'
  t.same(await notices({ ...born('1985-07-15'), sex: 'female', iin: woman }), [])
  t.same(await notices({ ...person, sex: 'unknown', birth: { precision: 'unknown' }, iin: woman }), [])
  t.same(
    await notices({ ...person, birth: { precision: 'range', from: '1980-01-01', to: '1990-01-01' }, iin: woman }),
    [{ code: 'iin_of_other_sex', pointer: '#/iin' }],
  )
  t.same(await notices({ ...person, iin: woman }), [
    { code: 'iin_of_other_birth', pointer: '#/iin' },
    { code: 'iin_of_other_sex', pointer: '#/iin' },
  ])
  t.same(await notices({ ...born('1992-02-29'), iin: '920229000008' }), [], 'a foreigner: no century and no sex')
  const { items } = (await asel.get('/v1/code-lists/notice')).json()
  t.ok(items.some(({ code }: { code: string }) => code === 'iin_of_other_birth'))
})

t.test('nobody is born after the registration, and contradictions of what people say are noticed', async t => {
  const service = await startService(t)
  const [asel, officer] = [await service.as('caseworker', 'sunrise'), await service.as('officer', 'turkistan')]
  const representative = { kind: 'none_yet' }
  const send = async (identity: object) => {
    const body = { ...registration(), basis: { ...consent, representative }, person: { identity } }
    return (await asel.post('/v1/cases', body, idempotencyKey())).json()
  }
  const births = [
    { precision: 'day', date: '2090-01-01' },
    { precision: 'day', date: '2021-03-05' },
    { precision: 'month', month: '2021-04' },
    { precision: 'year', year: 2022 },
    { precision: 'range', from: '2021-03-05', to: '2021-04-01' },
  ]
  const { id } = await send({ ...person, birth: { precision: 'year', year: 2021 } })
  t.ok(id, 'born in the year of the registration')
  for (const birth of births) {
    const field = Object.keys(birth)[1]
    const fault = { detail: 'Expected a birth on or before the day of registration' }
    t.match(await send({ ...person, birth }), {
      status: 400,
      errors: [{ pointer: `#/person/identity/birth/${field}`, ...fault }],
    })
    t.match((await asel.put(`/v1/cases/${id}/person/identity`, { ...person, birth }, ifMatch(1))).json(), {
      errors: [{ pointer: `#/birth/${field}`, ...fault }],
    })
  }
  const parents = [{ relation: 'mother', given: 'Айгүл', birth: { precision: 'year', year: 2050 } }]
  t.match((await send({ ...person, parents })).errors, [{ pointer: '#/person/identity/parents/0/birth/year' }])
  const rows = ['2090-01-01', '2021-04', '2058', '2021'].map((birthDate, i) => row({ externalId: `${i}`, birthDate }))
  const { registered, rejected } = await imported(service, officer, file(rows))
  t.equal(registered, 1)
  t.same(
    rejected.map(({ line, field, reason }: { line: number; field: string; reason: string }) => [line, field, reason]),
    [2, 3, 4].map(line => [line, 'birthDate', 'Expected a birth on or before the day of registration']),
  )
  const odd = await send({
    ...born('1990-01-02'),
    parents: [{ relation: 'mother', given: 'Айгүл', birth: { precision: 'month', month: '1990-02' } }],
    documents: [
      { type: 'foreign_passport', issuedOn: '2010-01-01', expiresOn: '2009-12-31' },
      { type: 'birth_certificate', issuedOn: '1989-01-01' },
    ],
  })
  t.same(odd.notices, [
    { code: 'expires_before_issue', pointer: '#/person/identity/documents/0/expiresOn' },
    { code: 'issued_before_birth', pointer: '#/person/identity/documents/1/issuedOn' },
    { code: 'older_than_parent', pointer: '#/person/identity/parents/0/birth' },
  ])
  t.notMatch(JSON.stringify(odd.notices), /19|20/, 'a notice has no value')
})

t.test('a notice shows nothing of a zone that is not open', async t => {
  const { as, organisation } = await startService(t)
  const [asel, zarina] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const { id } = await register(asel, { person: { identity: { ...person, iin: '850715400004' } } })
  const to = organisation('common-home').id
  const give = (zones: string[]) =>
    asel.post(
      `/v1/cases/${id}/grants`,
      { to, purpose: 'legal_aid', zones, validUntil: '2031-01-01', basis: consent },
      idempotencyKey(),
    )
  await give(['contact'])
  t.same((await zarina.get(`/v1/cases/${id}`)).json().notices, [])
  await give(['identity'])
  t.equal((await zarina.get(`/v1/cases/${id}`)).json().notices.length, 2)
})

t.test('a child that is older than its parent is noticed at the link, if both identities are open', async t => {
  const { as, organisation } = await startService(t)
  const [asel, zarina] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const [old, young] = [
    await register(asel, { person: { identity: born('1960-01-01') } }),
    await register(asel, { person: { identity: born('1980-01-01') } }),
  ]
  const relate = async (from: string, kind: string, caseId: string) =>
    (await asel.post(`/v1/cases/${from}/relations`, { kind, caseId }, idempotencyKey())).json()
  const notice = [{ code: 'older_than_parent', pointer: '#/caseId' }]
  const link = await relate(old.id, 'parent', young.id)
  t.same(link.notices, notice)
  const relations = async (who: typeof asel, id: string) => (await who.get(`/v1/cases/${id}/relations`)).json().items
  t.match(await relations(asel, young.id), [{ kind: 'child', notices: notice }])
  const to = organisation('common-home').id
  const give = (id: string, zones: string[]) =>
    asel.post(
      `/v1/cases/${id}/grants`,
      { to, purpose: 'legal_aid', zones, validUntil: '2031-01-01', basis: consent },
      idempotencyKey(),
    )
  await give(old.id, ['identity'])
  await give(young.id, ['contact'])
  t.match(await relations(zarina, old.id), [{ kind: 'parent', notices: [] }], 'one identity is withheld')
  await asel.delete(`/v1/cases/${old.id}/relations/${link.id}`)
  t.same((await relate(young.id, 'parent', old.id)).notices, [])
})

t.test('a document is issued neither before the decision nor before the birth', async t => {
  const { as } = await startService(t)
  const [nurlan, kairat] = [await as('officer', 'turkistan'), await as('supervisor', 'turkistan')]
  const one = following(
    (await nurlan.post('/v1/cases', { ...intake(), person: { identity: born('1990-02-01') } }, idempotencyKey())).json()
      .id,
  )
  for (const action of ['start_assessment', 'take_up']) await one.step(nurlan, { action, occurredOn: '2021-03-08' })
  await one.together(nurlan, kairat, { ...decision, occurredOn: '2021-05-03' })
  await one.step(nurlan, { action: 'open_documentation', occurredOn: '2021-05-03' })
  const propose = async (more: object) =>
    (await one.propose(nurlan, { ...document(), expiresOn: undefined, ...more })).json()
  t.match(await propose({ issuedOn: '2021-05-02' }), {
    errors: [{ pointer: '#/issuedOn', detail: 'Expected a day on or after the decision' }],
  })
  t.match(await propose({ issuedOn: '1990-01-31' }), {
    errors: [{ pointer: '#/issuedOn', detail: 'Expected a day on or after the birth of the person' }],
  })
  t.match((await propose({ iin: '921329300003' })).errors, [{ pointer: '#/iin' }])
  const proposal = await propose({ issuedOn: '2021-05-03', iin: '850715400004' })
  const notices = [
    { code: 'iin_of_other_birth', pointer: '#/iin' },
    { code: 'iin_of_other_sex', pointer: '#/iin' },
  ]
  t.same(proposal.notices, notices)
  t.same((await kairat.get('/v1/proposals?awaiting=me')).json().items[0].notices, notices)
  await one.confirm(kairat, proposal.id)
  t.match((await nurlan.get(`/v1/cases/${one.id}/documents`)).json().items, [{ issuedOn: '2021-05-03', notices }])
})

t.test('a number of a document that has lost the zeros at its beginning is refused at both doors', async t => {
  const service = await startService(t)
  const [nurlan, kairat] = [await service.as('officer', 'turkistan'), await service.as('supervisor', 'turkistan')]
  const one = await register(nurlan)
  for (const action of ['start_assessment', 'take_up']) await one.step(nurlan, { action })
  await one.together(nurlan, kairat, decision)
  await one.step(nurlan, { action: 'open_documentation' })
  const detail = 'Expected 9 digits, with the zeros at the beginning'
  t.match((await one.propose(nurlan, document('45123987'))).json().errors, [{ pointer: '#/number', detail }])
  t.equal((await one.propose(nurlan, document('045123987'))).statusCode, 201)
  const card = {
    outcome: 'kz_citizenship_confirmed',
    decidedOn: '2021-05-03',
    documentType: 'citizen_identity_card',
    documentIssuedOn: '2021-06-01',
  }
  const rows = ['45123987', '045123988', 'N 1'].map(documentNumber =>
    row({ externalId: documentNumber, ...card, documentNumber }),
  )
  t.match(await imported(service, nurlan, file(rows)), {
    registered: 2,
    rejected: [{ line: 2, field: 'documentNumber', reason: detail }],
  })
})
