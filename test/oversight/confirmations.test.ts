import t from 'tap'
import { approving, asking, untilDone } from '../support/erasing.ts'
import { assessed, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, type Someone, startService } from '../support/service.ts'

const awaited = async (who: Someone) => (await who.get('/v1/confirmations')).json().items
const confirm = (who: Someone, id: string, of = 1) =>
  who.post(`/v1/confirmations/${id}/approval`, undefined, ifMatch(of))

t.test('a supervisor of IOM is the second person of an NGO that has none, and reads no zone', async t => {
  const service = await startService(t)
  const { as, owner, organisation } = service
  const [asel, ruslan, dina, jonas, leila, gulnara, kamila] = [
    await as('caseworker', 'sunrise'),
    await as('caseworker', 'sunrise', 1),
    await as('supervisor', 'sunrise'),
    await as('supervisor', 'iom'),
    await as('supervisor', 'iom', 1),
    await as('supervisor', 'committee'),
    await as('supervisor', 'common-home'),
  ]
  await owner`update accounts set status = 'disabled' where email = 'pavel@sunrise.example'`
  const one = await assessed(asel)
  const proposed = (await one.propose(dina, { action: 'close', reason: 'lost_contact' })).json()
  t.match((await one.confirm(dina, proposed.id)).json(), {
    status: 409,
    type: '/problems/no-second-person',
    detail: /: IOM Kazakhstan$/,
  })
  t.same(await awaited(jonas), [
    {
      id: proposed.id,
      kind: 'proposal',
      caseId: one.id,
      organisation: { id: organisation('sunrise').id, name: 'Sunrise Legal Aid', kind: 'ngo' },
      code: 'close',
      reason: 'lost_contact',
      zones: null,
      goes: null,
      askedBy: dina.account,
      askedAt: proposed.proposedAt,
      expiresOn: proposed.expiresOn,
      version: 1,
    },
  ])
  t.equal((await jonas.get(`/v1/cases/${one.id}`)).statusCode, 404, 'the case stays closed to them')
  t.equal((await jonas.get(`/v1/proposals/${proposed.id}`)).statusCode, 404)
  t.same(await awaited(gulnara), [], 'a committee does not confirm for an NGO')
  t.equal((await kamila.get('/v1/confirmations')).statusCode, 403, 'nor another NGO')
  t.equal((await confirm(gulnara, proposed.id)).statusCode, 404)
  t.equal((await confirm(jonas, proposed.id, 2)).statusCode, 412)
  t.equal((await confirm(jonas, proposed.id)).statusCode, 204)
  t.match((await dina.get(`/v1/cases/${one.id}`)).json(), { state: 'closed' })
  t.equal((await confirm(leila, proposed.id)).statusCode, 404, 'once')

  const asked = (await asking(dina, one.id)).json()
  t.match((await approving(dina, asked.id)).json(), { status: 409, type: '/problems/no-second-person' })
  t.match(await awaited(leila), [
    { kind: 'erasure', code: 'consent_withdrawn', goes: { zones: ['identity'], notes: 0 } },
  ])
  t.equal((await confirm(leila, asked.id)).statusCode, 204)
  t.match(await untilDone(dina, asked.id), { settledBy: leila.account })
  const log = (await dina.get(`/v1/cases/${one.id}/access-log`)).json().items
  for (const who of [jonas, leila])
    t.ok(
      log.some(({ organisation: by }: { organisation: { id: string } }) => by?.id === who.organisation.id),
      'the owner reads who confirmed',
    )

  const two = await assessed(asel)
  const danger = {
    to: jonas.organisation.id,
    purpose: 'service_referral',
    zones: ['contact'],
    validUntil: '2031-01-01',
  }
  const grant = await dina.post(
    `/v1/cases/${two.id}/grants`,
    { ...danger, basis: { kind: 'vital_interest', reason: 'He bleeds.' } },
    idempotencyKey(),
  )
  t.equal(grant.statusCode, 201, grant.body)
  t.same(await awaited(leila), [], 'any colleague can confirm danger to life')
  await owner`update accounts set status = 'disabled' where id in (${asel.account}, ${ruslan.account})`
  t.match(await awaited(leila), [{ kind: 'grant', code: 'service_referral', zones: ['contact'] }])
  t.equal((await confirm(leila, grant.json().id)).statusCode, 204)
})

t.test('a committee confirms for its division, and IOM does not', async t => {
  const { as, owner, organisation } = await startService(t)
  const [kairat, gulnara, jonas] = [
    await as('supervisor', 'turkistan'),
    await as('supervisor', 'committee'),
    await as('supervisor', 'iom'),
  ]
  await owner`update accounts set status = 'disabled' where email = 'madina@turkistan.example'`
  const one = await register(kairat, { regionCode: 'KZ-61' })
  t.equal((await one.step(kairat, { action: 'withdraw' })).statusCode, 200)
  await owner`update retention_rules set obligatory = false`
  const asked = await asking(kairat, one.id)
  t.equal(asked.statusCode, 201, asked.body)
  t.match((await approving(kairat, asked.json().id)).json(), { detail: /Migration Service Committee$/ })
  t.same(await awaited(jonas), [])
  t.match(await awaited(gulnara), [{ kind: 'erasure', organisation: { id: organisation('turkistan').id } }])
  t.equal((await confirm(gulnara, asked.json().id)).statusCode, 204)
})
