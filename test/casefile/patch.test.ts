// Corrections of single fields, by JSON Merge Patch.
import t from 'tap'
import { patched } from '../../src/platform/http/merge-patch.ts'
import { openTo } from '../support/opening.ts'
import { register } from '../support/procedure.ts'
import { ifMatch, registration, type Someone, startService } from '../support/service.ts'

t.test('a patch changes what RFC 7396 has it change (appendix A)', async t => {
  for (const [document, patch, result] of [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])
    t.same(patched(document, patch), result, JSON.stringify([document, patch]))
  const before = { a: { b: 1 } }
  patched(before, { a: { b: 2 } })
  t.same(before, { a: { b: 1 } })
})

const type = { 'content-type': 'application/merge-patch+json' }
const patching = (who: Someone, url: string, body: object, version: number) =>
  who.patch(url, body, { ...ifMatch(version), ...type })

t.test('a phone is corrected without sending the rest of the zone', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { id } = await register(asel)
  const url = `/v1/cases/${id}/person/contact`
  const contact = { phones: ['+77010000000'], languages: ['kk'], instructions: 'After 18:00' }
  t.match((await patching(asel, url, contact, 0)).json(), { version: 1, content: contact }, 'the first version')
  const second = await patching(asel, url, { phones: ['+77020000000'] }, 1)
  t.match(second.headers.etag, /^"2-/)
  t.same(second.json().content, { ...contact, phones: ['+77020000000'] })
  t.same((await patching(asel, url, { instructions: null }, 2)).json().content, {
    phones: ['+77020000000'],
    languages: ['kk'],
  })
  t.match((await patching(asel, url, { instructions: 'Never' }, 2)).json(), { status: 412 }, 'it was changed since')
  t.equal((await asel.patch(url, {}, type)).statusCode, 428)
  t.equal((await asel.get(`${url}/versions`)).json().items.length, 3)
  t.match((await patching(asel, url, { phones: ['8 701'], shoeSize: 43 }, 3)).json(), {
    status: 400,
    errors: [{ pointer: '#/phones/0' }, { pointer: '#/shoeSize' }],
  })
  t.equal((await asel.patch(url, { emails: ['a@b.example'] }, ifMatch(3))).statusCode, 200, 'JSON is a patch too')
  t.equal((await asel.patch(url, 'x', { ...ifMatch(4), 'content-type': 'text/plain' })).statusCode, 415)
  const deep = `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`
  t.match((await asel.patch(url, deep, { ...ifMatch(4), ...type })).json(), { status: 400 })
})

t.test('a corrected birth changes the grants as a new identity does, and must leave an identity', async t => {
  const { as, superuser } = await startService(t)
  const [asel, marta] = [await as('caseworker', 'sunrise'), await as('caseworker', 'iom')]
  const { id } = await register(asel)
  await openTo(superuser, id, asel, marta)
  const url = `/v1/cases/${id}/person/identity`
  const birth = { birth: { precision: 'day', year: null, date: '2020-05-05' } }
  t.match((await patching(asel, url, birth, 1)).json(), {
    version: 2,
    content: { ...registration().person.identity, birth: { precision: 'day', date: '2020-05-05' } },
    effects: [{ effect: 'suspended' }, { effect: 'renewal_needed' }],
  })
  t.match((await patching(asel, url, { sex: null }, 2)).json(), { status: 400, errors: [{ pointer: '#/sex' }] })
  t.match((await patching(asel, url, { birth: { date: '2999-01-01' } }, 2)).json(), {
    errors: [{ pointer: '#/birth/date' }],
  })
  t.equal((await patching(marta, url, { sex: 'other' }, 2)).statusCode, 404)
})
