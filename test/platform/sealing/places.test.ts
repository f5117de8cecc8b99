// A sealed value opens only in its own place and with its own key.
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import type { Sealed } from '../../../src/platform/access/data-key.ts'
import { passingKeys } from '../../../src/platform/access/keys.ts'
import { sealerFor } from '../../../src/platform/db/sealed.ts'
import { offered, register } from '../../support/procedure.ts'
import { ifMatch, registration, type Someone, startService } from '../../support/service.ts'

const keys = passingKeys()
const { dataKey, epoch, wrapped } = keys.newDataKey()
const asStored = (content: Buffer): Sealed => ({
  content: content.toString('base64'),
  key: wrapped.toString('base64'),
  epoch,
})

t.test('a sealed value opens again, but not after a changed bit, cut, or in another place', async () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), fc.string(), fc.nat(), fc.nat(7), (value, place, other, at, bit) => {
      const sealed = dataKey.seal(place, value)
      const stored = asStored(sealed)
      const opens = (at: string, what: Sealed) => {
        try {
          keys.open(at, what)
          return true
        } catch {
          return false
        }
      }
      const changed = Buffer.from(sealed)
      changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ (1 << bit)
      return (
        JSON.stringify(keys.open(place, stored)) === JSON.stringify(value) &&
        (other === place || !opens(other, stored)) &&
        !opens(place, asStored(changed)) &&
        !opens(place, asStored(sealed.subarray(0, sealed.length - 1 - (at % 16)))) &&
        !opens(place, { ...stored, epoch: epoch + 1 }) &&
        !opens(place, { ...stored, key: randomBytes(61).toString('base64') }) &&
        !opens(place, { ...stored, key: keys.newDataKey().wrapped.toString('base64') })
      )
    }),
  )
})

t.test('the same text sealed twice gives different values', async t => {
  t.notSame(dataKey.seal('a', 'x'), dataKey.seal('a', 'x'))
})

t.test('a value moved to another place is refused, and the log has the place but not the value', async t => {
  const { as, superuser, lines } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const secret = 'Құпия48101230'
  const person = { ...registration(secret).person, contact: { instructions: secret }, whereabouts: {} }
  const [one, other] = [await register(asel, { person }), await register(asel, { person })]
  const contact = `/v1/cases/${one.id}/person/contact`
  await asel.put(contact, { instructions: `${secret} later` }, ifMatch(1))
  const noteOf = async (text: string) => (await asel.post(`/v1/cases/${one.id}/notes`, { text })).json().id
  const [note, another] = [await noteOf(secret), await noteOf(`${secret} too`)]
  await asel.put(`/v1/notes/${note}`, { text: `${secret} later` }, ifMatch(1))
  const flag = (await asel.post(`/v1/cases/${one.id}/flags`, { kind: 'urgent', reason: secret })).json().id
  await asel.post(`/v1/flags/${flag}/clearance`, { reason: `${secret} no more` }, ifMatch(1))
  const task = (await asel.post(`/v1/cases/${one.id}/tasks`, { title: secret })).json().id

  const zone = (caseId: string, name: string, version: number) =>
    `(select content from zone_versions where case_id = '${caseId}' and zone = '${name}' and version = ${version})`
  const version = (id: string, n: number) =>
    `(select content from note_versions where note_id = '${id}' and version = ${n})`
  /** Puts another value into a place, expects the refusal when it is read, and restores the value. */
  const moved = async (what: string, table: string, column: string, where: string, value: string, path: string) => {
    await superuser.unsafe(`set session_replication_role = replica`)
    const [before] = await superuser.unsafe(`select ${column} as value from ${table} where ${where}`)
    await superuser.unsafe(`update ${table} set ${column} = ${value} where ${where}`)
    lines.length = 0
    const answer = await asel.get(path)
    t.match(answer, { statusCode: 500 }, what)
    t.match(answer.json(), { type: '/problems/unreadable' }, what)
    t.match(lines.join(''), new RegExp(`"Unreadable","code":"${table}\\.${column}/`), what)
    t.notMatch(lines.join('') + answer.body, /48101230|instructions|later/, what)
    await superuser.unsafe(`update ${table} set ${column} = $1 where ${where}`, [before?.value])
    t.equal((await asel.get(path)).statusCode, 200, `${what}, restored`)
  }
  const ofOne = `case_id = '${one.id}'`
  const current = `${ofOne} and zone = 'contact' and version = 2`
  const detail = `/v1/cases/${one.id}`
  await moved('between cases', 'zone_versions', 'content', current, zone(other.id, 'contact', 1), detail)
  await moved('between zones', 'zone_versions', 'content', current, zone(one.id, 'identity', 1), contact)
  await moved('between versions', 'zone_versions', 'content', current, zone(one.id, 'contact', 1), contact)
  await moved(
    'between rows',
    'note_versions',
    'content',
    `note_id = '${note}' and version = 2`,
    version(another, 1),
    `/v1/notes/${note}`,
  )
  await moved(
    'from an older version',
    'note_versions',
    'content',
    `note_id = '${note}' and version = 2`,
    version(note, 1),
    `/v1/notes/${note}`,
  )
  await moved('between columns', 'flags', 'content', `id = '${flag}'`, 'clearance', `/v1/flags/${flag}`)
  await moved('between tables', 'tasks', 'content', `id = '${task}'`, version(another, 1), `/v1/tasks/${task}`)
  await moved(
    'with a short tag',
    'tasks',
    'content',
    `id = '${task}'`,
    'substr(content, 1, length(content) - 12)',
    `/v1/tasks/${task}`,
  )
  await moved(
    'arbitrary bytes',
    'tasks',
    'content',
    `id = '${task}'`,
    `substr(content, 1, 16) || '\\x00'`,
    `/v1/tasks/${task}`,
  )

  const keyOf = (caseId: string) => `(select wrapped from data_keys where case_id = '${caseId}')`
  const withKey = async (what: string, set: string) => {
    const [before] = await superuser.unsafe(`select epoch, wrapped from data_keys where ${ofOne}`)
    await superuser.unsafe(`update data_keys set ${set} where ${ofOne}`)
    t.match((await asel.get(detail)).json(), { type: '/problems/unreadable' }, what)
    await superuser.unsafe(`update data_keys set epoch = $1, wrapped = $2 where ${ofOne}`, [
      before?.epoch,
      before?.wrapped,
    ])
    t.equal((await asel.get(detail)).statusCode, 200, `${what}, restored`)
  }
  await withKey('the key of another case', `wrapped = ${keyOf(other.id)}`)
  await withKey('an epoch that does not exist', 'epoch = 2')
})

t.test('the file has its own key, and so have the texts of each organisation that reaches the case', async t => {
  const { as, superuser, workAs } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const zarina = await as('caseworker', 'common-home')
  const nurlan = await as('officer', 'almaty-city')
  const write = async (who: Someone, id: string) => (await who.post(`/v1/cases/${id}/notes`, { text: 'x' })).statusCode
  const [one, other] = [await register(asel), await register(asel)]
  const official = await register(nurlan)
  for (const [who, id] of [
    [asel, one.id],
    [asel, one.id],
    [asel, other.id],
    [nurlan, official.id],
  ] as const)
    t.equal(await write(who, id), 201)
  t.same(
    [
      ...(await superuser`select organisation_id as of, count(*)::int, count(distinct case_id)::int as cases from data_keys group by 1 order by 2`),
    ],
    [
      { of: nurlan.organisation.id, count: 1, cases: 1 },
      { of: asel.organisation.id, count: 2, cases: 2 },
      { of: null, count: 3, cases: 3 },
    ],
  )
  t.equal(await write(nurlan, one.id), 404, 'an organisation gets no key for a case that is not open to it')
  const sealerOf = (who: Someone, about: Parameters<typeof sealerFor>[1]) =>
    workAs(who, 'cases:write', tx => sealerFor(tx, about))
  await t.resolves(sealerOf(asel, { caseId: one.id }))
  await t.rejects(sealerOf(nurlan, { caseId: one.id }), { message: 'not-found' }, 'not in SQL either')
  await t.rejects(sealerOf(nurlan, { caseId: one.id, file: true }), { message: 'not-found' })
  await one.step(asel, { action: 'start_assessment' })
  const offer = await offered(one, asel, nurlan.organisation)
  await t.resolves(sealerOf(nurlan, { referralId: offer.id }), 'to answer an offer')
  await t.rejects(sealerOf(zarina, { referralId: offer.id }), { message: 'not-found' })
  t.equal((await superuser`select from data_keys where organisation_id = ${zarina.organisation.id}`).length, 0)
})
