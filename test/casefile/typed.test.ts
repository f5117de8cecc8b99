import t from 'tap'
import { file, imported, row } from '../support/imports.ts'
import { idempotencyKey, ifMatch, registration, startService } from '../support/service.ts'

const unseen = ['\u200b', '\u3164', '\u00ad', '\u2800', '\ufe0f', '\u200f\u00a0\u2060']
const hidden = ['\u202eнанаД', 'Да\u2067на', 'Иван\u0007ов', 'Иван\u0085ов', 'Ива\u2028нов', 'Ива\nнов', 'Ива\tнов']
const seen = ['Ә', "Д'Артаньян", 'O‘g‘li', 'کریم\u200cی', '\u200fمحمد', 'क्\u200dष', '李', '🙂', 'Иванов ', ' 7']

/** The code points of a text: controls would end a line of the test's output. */
const shown = (text: string) => [...text].map(letter => letter.codePointAt(0)?.toString(16)).join(' ')

t.test('a text that nobody sees as it is stored is refused at both doors', async t => {
  const service = await startService(t)
  const [asel, officer] = [await service.as('caseworker', 'sunrise'), await service.as('officer', 'committee')]
  const names = [...unseen, ...hidden, ...seen]
  for (const name of names) {
    const response = await asel.post('/v1/cases', registration(name), idempotencyKey())
    t.equal(response.statusCode, seen.includes(name) ? 201 : 400, shown(name))
    if (response.statusCode === 400)
      t.match(response.json().errors, [{ pointer: '#/person/identity/names/0/family' }], 'with its place')
    t.notOk(response.json().errors?.[0]?.detail.includes(name), 'and without the value')
  }
  const rows = names.map((familyName, i) => row({ externalId: `name-${i}`, familyName }))
  const { rejected } = await imported(service, officer, file(rows))
  t.same(
    [...new Set(rejected.map((fault: { line: number; field: string }) => `${fault.field} ${fault.line}`))].length,
    unseen.length + hidden.length,
    'the import refuses the same',
  )
})

t.test('names of organisations, accounts and campaigns are texts too, and free text has lines', async t => {
  const { as } = await startService(t)
  const [admin, committee, asel] = [
    await as('administrator', 'operator'),
    await as('officer', 'committee'),
    await as('caseworker', 'sunrise'),
  ]
  const first = { email: 'head@open-door.example', name: 'Dana' }
  const ngo = { kind: 'ngo', name: 'Open\u202eDoor', shortName: 'open-door', first }
  t.match((await admin.post('/v1/organisations', ngo)).json().errors, [{ pointer: '#/name' }])
  t.match(
    (await admin.post('/v1/organisations', { ...ngo, name: 'Open Door', first: { ...first, name: '\u200b' } })).json(),
    { errors: [{ pointer: '#/first/name' }] },
  )
  t.match((await committee.post('/v1/campaigns', { name: '\u2060', startsOn: '2020-10-01' })).json(), { status: 400 })
  const { id } = (await asel.post('/v1/cases', registration(), idempotencyKey())).json()
  const note = (text: string) => asel.post(`/v1/cases/${id}/notes`, { text }, idempotencyKey())
  t.equal((await note('First line\n\tsecond line')).statusCode, 201)
  t.match((await note('a bell \u0007')).json().errors, [{ pointer: '#/text' }])
  t.match((await note('\u200b\n\u200b')).json().errors, [{ pointer: '#/text' }])
  const contact = { instructions: 'After 18:00\r\nask for \u202dher sister' }
  t.match((await asel.put(`/v1/cases/${id}/person/contact`, contact, ifMatch(0))).json(), {
    errors: [{ pointer: '#/instructions' }],
  })
})

t.test('an external id is the same with and without spaces around it, at both doors', async t => {
  const service = await startService(t)
  const [officer, asel] = [await service.as('officer', 'turkistan'), await service.as('caseworker', 'sunrise')]
  const register = (externalId: string) => asel.post('/v1/cases', { ...registration(), externalId }, idempotencyKey())
  t.equal((await register('E-1 ')).statusCode, 201)
  t.equal((await register('E-1')).statusCode, 409)
  t.match((await register('\u200b')).json().errors, [{ pointer: '#/externalId' }])
  const intake = {
    ...registration(),
    basis: { kind: 'statute', legalReference: 'order_607' },
    externalId: ' E-2 ',
  }
  t.equal((await officer.post('/v1/cases', intake, idempotencyKey())).statusCode, 201)
  t.match(await imported(service, officer, file([row({ externalId: 'E-2' })])), { registered: 0, existing: 1 })
})
