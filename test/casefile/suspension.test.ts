import { randomUUIDv7 } from 'node:crypto'
import t from 'tap'
import { rowOf } from '../../src/casefile/grants/give.ts'
import { findings } from '../../src/oversight/audit/holds.ts'
import { refusalOf } from '../../src/platform/db/database.ts'
import { sql } from '../../src/platform/db/drizzle.ts'
import type { Problem } from '../../src/problem.ts'
import { assessed, consent, offered, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, type Service, type Someone, startService } from '../support/service.ts'

const identity = (birth: object) => ({ ...registration().person.identity, birth })
const born = (date: string) => identity({ precision: 'day', date })
const adult = born('1990-03-04')
const child = born('2019-03-04')
const mother = { kind: 'parent', name: 'Гүлнар' }
const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
/** A birth date of somebody who turns 18 in so many days. */
const turnsEighteenIn = (days: number) => `${Number(day(days).slice(0, 4)) - 18}${day(days).slice(4)}`

const correct = async (who: Someone, id: string, content: object, zone = 'identity') => {
  const { version } = (await who.get(`/v1/cases/${id}/person/${zone}`)).json()
  const response = await who.put(`/v1/cases/${id}/person/${zone}`, content, ifMatch(version))
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json().effects
}
const share = async (who: Someone, id: string, to: Someone, more: object = {}) => {
  const body = {
    to: to.organisation.id,
    purpose: 'legal_aid',
    zones: ['identity', 'contact'],
    validUntil: '2038-01-31',
  }
  const response = await who.post(`/v1/cases/${id}/grants`, { ...body, basis: consent, ...more }, idempotencyKey())
  if (response.statusCode !== 201) throw new Error(response.body)
  return response.json()
}
const reading = async (who: Someone, id: string) => (await who.get(`/v1/cases/${id}`)).statusCode
const grantOf = async (who: Someone, id: string) => (await who.get(`/v1/grants/${id}`)).json()
const tasksOf = async (who: Someone) =>
  (await who.get('/v1/tasks?kind=renew_consent&done=false')).json().items as { grantId: string }[]

const people = async ({ as }: Service) => ({
  asel: await as('caseworker', 'sunrise'),
  dina: await as('supervisor', 'sunrise'),
  marta: await as('caseworker', 'iom'),
  zarina: await as('caseworker', 'common-home'),
  bolat: await as('officer', 'almaty-city'),
})

t.test('a corrected birth date shortens what was given for a child', async t => {
  const service = await startService(t)
  const { asel, marta } = await people(service)
  const basis = { ...consent, representative: mother }
  const one = await register(asel, { basis, person: { identity: child } })
  const grant = await share(asel, one.id, marta, { basis })
  t.same(await correct(asel, one.id, child), [], 'nothing changes without a change')

  const soon = turnsEighteenIn(12)
  const effects = await correct(asel, one.id, born(soon))
  t.match(effects, [{ grantId: grant.id, effect: 'shortened' }])
  const last = new Date(Date.parse(`${day(12)}T19:00:00Z`) + 90 * 86_400_000).toISOString().slice(0, 10)
  t.equal((await grantOf(asel, grant.id)).validUntil.slice(0, 10), last, 'it ends 90 days after the 18th birthday')
  t.equal(await reading(marta, one.id), 200)

  t.match(await correct(asel, one.id, adult), [{ grantId: grant.id, effect: 'ended' }, { effect: 'renewal_needed' }])
  t.equal(await reading(marta, one.id), 404)
  t.match(await grantOf(marta, grant.id), { state: 'expired' })
  t.equal(await reading(asel, one.id), 200, 'the owner goes on')
  t.equal((await tasksOf(asel)).length, 1)
  const renewed = await one.step(asel, { action: 'renew_basis', basis: consent })
  t.equal(renewed.statusCode, 200, renewed.body)
  t.match(renewed.json().case.basis, { kind: 'consent', representative: null })
  t.same(await tasksOf(asel), [], 'a renewed basis completes the task')
  t.same(await findings(service.endpoint('owner')), [])
})

t.test('a grant without a representative is suspended while the person may be a child', async t => {
  const service = await startService(t)
  const { asel, dina, marta, zarina } = await people(service)
  const one = await register(asel, { person: { ...registration().person, identity: adult } })
  const grant = await share(asel, one.id, marta, { onward: true })
  const onward = await share(marta, one.id, zarina, { basis: undefined, zones: ['identity'] })
  t.same([await reading(marta, one.id), await reading(zarina, one.id)], [200, 200])

  for (const content of [child, identity({ precision: 'unknown' }), identity({ precision: 'year', year: 2008 })]) {
    t.match(
      (await correct(asel, one.id, content)).map(({ effect }: { effect: string }) => effect).sort(),
      ['renewal_needed', 'suspended', 'suspended'],
      JSON.stringify(content.birth),
    )
    t.same([await reading(marta, one.id), await reading(zarina, one.id)], [404, 404], 'nothing shows')
    t.match(await grantOf(asel, grant.id), {
      state: 'suspended',
      suspendedFor: ['representative_missing'],
      allowedActions: ['revoke'],
    })
    t.match(await grantOf(marta, grant.id), { state: 'suspended', suspendedFor: [] }, 'the reason is for the owner')
    t.same(
      (await tasksOf(dina)).map(({ grantId }) => grantId).filter(id => id === onward.id),
      [],
    )
    t.match((await tasksOf(dina)).length, 2, 'a task for the own basis and for the grant')
    t.same(await findings(service.endpoint('owner')), [])
    t.match(
      (await correct(asel, one.id, adult)).map(({ effect }: { effect: string }) => effect),
      ['resumed', 'resumed'],
    )
    t.same([await reading(marta, one.id), await reading(zarina, one.id)], [200, 200], 'corrected back')
    t.same(await tasksOf(dina), [])
  }

  await correct(asel, one.id, child)
  const refused = await marta.post(
    `/v1/cases/${one.id}/grants`,
    { to: zarina.organisation.id, purpose: 'legal_aid', zones: ['contact'], validUntil: '2030-01-01' },
    idempotencyKey(),
  )
  t.equal(refused.statusCode, 404, 'nothing is given onward from a suspended grant')
  const basis = { ...consent, representative: mother }
  const renewed = await share(asel, one.id, marta, { onward: true, basis, validUntil: '2030-01-01' })
  t.match(await grantOf(asel, grant.id), { state: 'closed', closedReason: 'renewed' })
  t.match(await grantOf(asel, onward.id), { state: 'open', parentId: renewed.id, representative: 'parent' })
  t.equal((await grantOf(asel, onward.id)).validUntil, renewed.validUntil, 'and ends with it')
  t.same([await reading(marta, one.id), await reading(zarina, one.id)], [200, 200], 'a renewed consent opens it again')
  t.equal((await tasksOf(dina)).length, 1, 'the task for the own basis is left')
  t.same(await findings(service.endpoint('owner')), [])
})

t.test('a State that must not learn of the person suspends the grants that name it', async t => {
  const service = await startService(t)
  const { asel, dina, marta, bolat } = await people(service)
  const one = await assessed(asel)
  await (await offered(one, asel, bolat.organisation)).decide(bolat, 'accept')
  const inquiry = { purpose: 'consular_inquiry', zones: ['identity'], validUntil: '2030-01-01', states: ['UZB', 'TJK'] }
  const grant = await share(asel, one.id, bolat, inquiry)
  const other = await share(asel, one.id, marta)
  t.match(await correct(dina, one.id, { mustNotBeKnownTo: ['UZB'] }, 'protection'), [
    { grantId: grant.id, effect: 'suspended' },
  ])
  t.match(await grantOf(asel, grant.id), { state: 'suspended', suspendedFor: ['state_must_not_know'] })
  t.match(await grantOf(asel, other.id), { state: 'open' })
  const again = (who: Someone, validUntil: string) =>
    who.post(
      `/v1/cases/${one.id}/grants`,
      { ...inquiry, to: bolat.organisation.id, basis: consent, validUntil },
      idempotencyKey(),
    )
  t.match((await again(dina, '2031-01-01')).json(), { status: 400, errors: [{ pointer: '#/states/0' }] })
  const ruslan = await service.as('caseworker', 'sunrise', 1)
  t.match((await again(ruslan, '2031-01-01')).json(), { state: 'suspended' }, 'also by one who cannot read protection')
  t.match(await correct(dina, one.id, { mustNotBeKnownTo: [] }, 'protection'), [{ effect: 'resumed' }])
  t.same(await findings(service.endpoint('owner')), [])
})

t.test('an offer whose consent is suspended cannot be accepted', async t => {
  const service = await startService(t)
  const { asel, bolat } = await people(service)
  const one = await assessed(asel, { person: { identity: adult } })
  const offer = await offered(one, asel, bolat.organisation)
  await correct(asel, one.id, child)
  t.match((await offer.decide(bolat, 'accept')).json(), {
    status: 409,
    detail: 'The sender has to renew the consent of the person first',
  })
  await correct(asel, one.id, adult)
  t.equal((await offer.decide(bolat, 'accept')).statusCode, 200)
})

t.test('a person whose 18th birthday is tomorrow is a child for a new grant', async t => {
  const service = await startService(t)
  const { asel, marta } = await people(service)
  const one = await register(asel, { person: { identity: adult } })
  const given = {
    case_id: one.id,
    recipient_id: marta.organisation.id,
    purpose: 'legal_aid',
    zones: ['contact'],
    basis: 'consent',
    method: 'written',
    language: 'kk',
    form_version: '2026-1',
    valid_until: '2030-01-01',
  }
  const give = (days: number) =>
    service
      .workAs(asel, 'grants:give', tx =>
        tx.execute(sql`select app.give_grant(${rowOf({ id: randomUUIDv7(), ...given })}, null,
          (app.today() + ${days}::int - interval '18 years')::date, true, '')`),
      )
      .then(
        () => 'given',
        error => (refusalOf(error) as Problem).details.errors?.[0]?.pointer,
      )
  t.same([await give(1), await give(0)], ['/basis/representative', 'given'])
})
