import t from 'tap'
import { assessed, consent, offered, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, startService } from '../support/service.ts'

t.test('an equal grant is refused, and with a later end it renews the first one', async t => {
  const { as } = await startService(t)
  const [asel, zarina, marta] = [
    await as('caseworker', 'sunrise'),
    await as('caseworker', 'common-home'),
    await as('caseworker', 'iom'),
  ]
  const { id } = await register(asel)
  const legalAid = {
    to: zarina.organisation.id,
    purpose: 'legal_aid',
    zones: ['identity', 'contact'],
    validUntil: '2031-01-01',
    basis: consent,
    onward: true,
  }
  const give = async (more: object = {}, who = asel) =>
    (await who.post(`/v1/cases/${id}/grants`, { ...legalAid, ...more }, idempotencyKey())).json()
  const read = async (grant: string) => (await asel.get(`/v1/grants/${grant}`)).json()

  const first = await give()
  for (const more of [{}, { zones: ['contact', 'identity'] }, { validUntil: '2030-01-01' }])
    t.match(await give(more), {
      status: 409,
      type: '/problems/grant-exists',
      errors: [{ pointer: '#', detail: `Equal to the open grant /v1/grants/${first.id}` }],
    })
  const others = []
  for (const more of [{ zones: ['identity'] }, { purpose: 'service_referral' }, { onward: false }, { states: ['UZB'] }])
    others.push((await give(more)).id)
  t.equal(new Set(others).size, 4, 'other zones, purpose or conditions make another grant')
  const passedOn = await give({ to: marta.organisation.id, basis: undefined, onward: false }, zarina)
  t.equal(passedOn.parentId, first.id)

  const second = await give({ validUntil: '2032-01-01' })
  t.equal(second.state, 'open')
  t.match(await read(first.id), { state: 'closed', closedReason: 'renewed', acknowledgedAt: null })
  t.match(await read(passedOn.id), { state: 'open', parentId: second.id }, 'what was passed on goes on')
  t.equal((await zarina.get(`/v1/cases/${id}`)).statusCode, 200)

  const revoke = async (grant: string, version = 1) =>
    (await asel.post(`/v1/grants/${grant}/revocation`, {}, ifMatch(version))).json()
  t.same((await revoke(second.id)).stillOpen.map((grant: { id: string }) => grant.id).sort(), others.sort())
  t.match(await read(passedOn.id), { state: 'closed' }, 'and ends with the renewal')
  for (const grant of others.slice(1)) await revoke(grant)
  t.equal((await zarina.get(`/v1/cases/${id}`)).statusCode, 200)
  t.same((await revoke(others[0])).stillOpen, [])
  t.equal((await zarina.get(`/v1/cases/${id}`)).statusCode, 404)
  t.equal((await give()).state, 'open', 'a grant that is closed is in nobody’s way')

  const twice = await asel.post('/v1/cases', { ...registration(), grants: [legalAid, legalAid] }, idempotencyKey())
  t.match(twice.json(), { status: 409, errors: [{ pointer: '#/grants/1' }] }, 'in one registration too')
})

t.test('a grant that came with a referral is renewed, and ends with the referral', async t => {
  const { as } = await startService(t)
  const [asel, zarina] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const one = await assessed(asel)
  const grant = { purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-01-01', basis: consent }
  const referral = await offered(one, asel, zarina.organisation, { kind: 'service', grant })
  await referral.decide(zarina, 'accept')
  const give = (validUntil: string) =>
    asel.post(`/v1/cases/${one.id}/grants`, { ...grant, to: zarina.organisation.id, validUntil }, idempotencyKey())
  t.match((await give('2031-01-01')).json(), { status: 409, type: '/problems/grant-exists' })
  t.match((await give('2032-01-01')).json(), { state: 'open' })
  t.equal((await referral.decide(zarina, 'done')).statusCode, 200)
  t.equal((await zarina.get(`/v1/cases/${one.id}`)).statusCode, 404)
})
