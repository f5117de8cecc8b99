import t from 'tap'
import { file, imported, row } from '../support/imports.ts'
import { consent, decision, following } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, intake, registration, startService } from '../support/service.ts'

type Fault = { pointer: string; detail: string }

t.test('a code that is on no list is refused where it stands, and one that is on it is kept', async t => {
  const { as, organisation } = await startService(t)
  const [asel, officer] = [await as('caseworker', 'sunrise'), await as('officer', 'turkistan')]
  const good = registration()
  const { identity } = good.person
  const registered = async (more: object, person: object = {}) =>
    (await asel.post('/v1/cases', { ...good, ...more, person: { identity, ...person } }, idempotencyKey())).json()
  const refused = async (pointer: string, more: object, person: object = {}) =>
    t.match((await registered(more, person)).errors, [{ pointer, detail: /^Expected a code of the list / }], pointer)

  for (const languages of [['kaa'], ['prs'], ['dng', 'kk', 'ug']])
    t.match(await registered({}, { contact: { languages } }), { person: { contact: { languages } } })
  await refused('#/person/contact/languages/1', {}, { contact: { languages: ['kk', 'zz'] } })
  await refused('#/basis/language', { basis: { ...consent, language: 'zz' } })
  t.match(await registered({ basis: { ...consent, language: 'kaa' } }), { basis: { language: 'kaa' } })

  const born = (country: string) => registered({}, { identity: { ...identity, birthPlace: { country } } })
  for (const country of ['UZB', 'SUN', 'DDR'])
    t.equal((await born(country)).person.identity.birthPlace.country, country)
  await refused(
    '#/person/identity/birthPlace/country',
    {},
    { identity: { ...identity, birthPlace: { country: 'QQQ' } } },
  )
  const documents = [
    { type: 'ussr_passport', country: 'SUN' },
    { type: 'canary', country: 'XXX' },
  ]
  const { errors } = await registered({}, { identity: { ...identity, documents } })
  t.same(errors.map(({ pointer }: Fault) => pointer).sort(), [
    '#/person/identity/documents/1/country',
    '#/person/identity/documents/1/type',
  ])
  t.notMatch(JSON.stringify(errors), /canary|XXX/, 'a fault never has the value')
  await refused('#/person/protection/mustNotBeKnownTo/0', {}, { protection: { mustNotBeKnownTo: ['SUN'] } })

  const { id } = await registered({})
  t.match((await asel.put(`/v1/cases/${id}/person/contact`, { languages: ['zz'] }, ifMatch(0))).json(), {
    errors: [{ pointer: '#/languages/0' }],
  })
  const grant = (more: object) =>
    asel.post(
      `/v1/cases/${id}/grants`,
      {
        to: organisation('common-home').id,
        purpose: 'legal_aid',
        zones: ['identity'],
        validUntil: '2031-01-01',
        ...more,
      },
      idempotencyKey(),
    )
  t.match((await grant({ basis: consent, states: ['UZB', 'QQQ'] })).json().errors, [{ pointer: '#/states/1' }])
  t.match((await grant({ basis: { ...consent, language: 'zz' } })).json().errors, [{ pointer: '#/basis/language' }])

  const one = following((await officer.post('/v1/cases', intake(), idempotencyKey())).json().id)
  await one.step(officer, { action: 'start_assessment' })
  await one.step(officer, { action: 'take_up' })
  const decided = await one.propose(officer, { ...decision, outcome: 'foreign_citizenship_confirmed', country: 'SUN' })
  t.match(decided.json().errors, [{ pointer: '#/country' }], 'no State that exists')
})

t.test('the import refuses the same codes in the same columns', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'turkistan')
  const rows = [
    row({ externalId: 'good', birthCountry: 'SUN', formerDocumentType: 'ussr_passport' }),
    row({ externalId: 'country', birthCountry: 'QQQ' }),
    row({ externalId: 'type', formerDocumentType: 'canary' }),
  ]
  t.match(await imported(service, officer, file(rows)), {
    registered: 1,
    rejected: [
      { line: 3, field: 'birthCountry', reason: 'Expected a code of the list country' },
      { line: 4, field: 'formerDocumentType', reason: 'Expected a code of the list held_document_type' },
    ],
  })
})

t.test('the lists of countries and languages are served, in three languages', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  for (const [list, code, label] of [
    ['country', 'UZB', 'Өзбекстан'],
    ['former_country', 'SUN', 'Кеңестік Социалистік Республикалар Одағы (1991 жылға дейін)'],
    ['language', 'kaa', 'Қарақалпақ тілі'],
    ['held_document_type', 'ussr_passport', 'КСРО азаматының паспорты'],
  ] as const) {
    const { items } = (await asel.get(`/v1/code-lists/${list}`)).json()
    t.match(items.find((item: { code: string }) => item.code === code)?.label, { kk: label }, `${list} ${code}`)
  }
})
