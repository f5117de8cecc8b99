// What two callers do at the same instant: whatever changes who can read a case locks the case first, and what has waited
// for the lock is judged by what there is then.
import t from 'tap'
import { meanwhile } from '../support/meanwhile.ts'
import { assessed, consent, offered } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, startService } from '../support/service.ts'

t.test('a grant that is revoked at this moment is not given onward', async t => {
  const service = await startService(t)
  const { as, superuser } = service
  const [asel, zarina, marta] = [
    await as('caseworker', 'sunrise'),
    await as('caseworker', 'common-home'),
    await as('caseworker', 'iom'),
  ]
  const { id } = await assessed(asel)
  const given = { to: zarina.organisation.id, zones: ['identity'], validUntil: '2031-11-23', basis: consent }
  const give = (more: object) => asel.post(`/v1/cases/${id}/grants`, { ...given, ...more }, idempotencyKey())
  const parent = (await give({ purpose: 'legal_aid', onward: true })).json().id
  await give({ purpose: 'case_conference' }) // Zarina's organisation reads the case by this one afterwards
  const onward = { to: marta.organisation.id, purpose: 'legal_aid', zones: ['identity'], validUntil: '2030-01-01' }
  const reply = await meanwhile(service, asel, `select app.revoke_grant('${parent}', 1, null)`, () =>
    zarina.post(`/v1/cases/${id}/grants`, onward, idempotencyKey()),
  )
  t.match(reply, { statusCode: 403 })
  t.equal((await marta.get(`/v1/cases/${id}`)).statusCode, 404)
  t.equal((await superuser`select from grants where recipient_id = ${marta.organisation.id}`).length, 0)
})

t.test('a former owner writes no zone, although it began before the transfer was accepted', async t => {
  const service = await startService(t)
  const { as, superuser } = service
  const [asel, zarina] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const one = await assessed(asel)
  const offer = await offered(one, asel, zarina.organisation, { kind: 'transfer', grant: undefined, basis: consent })
  for (const [zone, version, content] of [
    ['contact', 0, { phones: ['+77010000000'] }],
    ['identity', 1, { names: 'unknown', sex: 'male', birth: { precision: 'year', year: 1961 } }],
  ] as const) {
    const accept = `select app.decide_referral('${offer.id}', 1, 'accept', null, null)`
    const reply = await meanwhile(service, zarina, zone === 'contact' ? accept : 'select 1', () =>
      asel.put(`/v1/cases/${one.id}/person/${zone}`, content, ifMatch(version)),
    )
    t.match(reply, { statusCode: 404 }, zone)
  }
  t.equal((await superuser`select from zone_versions where case_id = ${one.id}`).length, 1)
})

t.test('a zone of a case that is withdrawn at this moment is not written', async t => {
  const service = await startService(t)
  const asel = await service.as('caseworker', 'sunrise')
  const { id } = await assessed(asel)
  const withdraw = `insert into case_events (case_id, action, on_version) values ('${id}', 'withdraw', 2)`
  const reply = await meanwhile(service, asel, withdraw, () =>
    asel.put(`/v1/cases/${id}/person/contact`, {}, ifMatch(0)),
  )
  t.match(reply, { statusCode: 409 })
})
