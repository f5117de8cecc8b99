import t from 'tap'
import { assessed, consent, decision, offered, register, submitted } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, type Someone, startService } from '../support/service.ts'

const sharing = (who: Someone, id: string, to: Someone) =>
  who.post(
    `/v1/cases/${id}/grants`,
    { to: to.organisation.id, purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-01-01', basis: consent },
    idempotencyKey(),
  )

t.test('an organisation is closed only when no case depends on it', async t => {
  const service = await startService(t)
  const { as } = service
  const [admin, asel, dina, marta, zarina, bolat, jonas] = [
    await as('administrator', 'operator'),
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'iom'),
    await as('caseworker', 'common-home'),
    await as('officer', 'almaty-city'),
    await as('supervisor', 'iom'),
  ]
  const url = `/v1/organisations/${asel.organisation.id}`
  const set = async (status: string) => {
    const { version } = (await admin.get(url)).json()
    return admin.patch(url, { status }, ifMatch(version))
  }
  const left = async (who = dina) => (await who.get(`${url}/remainder`)).json().items

  const one = await assessed(asel)
  const grant = (await sharing(asel, one.id, marta)).json()
  const foreign = await register(zarina)
  const received = (await sharing(zarina, foreign.id, asel)).json()
  const { one: waiting, referral } = await submitted(asel, bolat)
  const incoming = await offered(foreign, zarina, asel.organisation, {
    kind: 'transfer',
    grant: undefined,
    basis: consent,
  })

  t.match((await set('closed')).json(), { status: 409, type: '/problems/organisation-in-use' }, 'not at once')
  t.match((await set('closing')).json(), { status: 'closing', closingUntil: /^\d{4}-\d\d-\d\d$/ })
  t.match(
    (await asel.post('/v1/cases', registration(), idempotencyKey())).json(),
    { status: 409, type: '/problems/organisation-closing' },
    'it registers nobody',
  )
  t.equal((await sharing(zarina, foreign.id, asel)).statusCode, 400, 'nothing is shared with it')
  t.same((await incoming.read(asel)).allowedDecisions, ['decline'], 'it takes nothing over')
  t.equal((await incoming.decide(asel, 'accept')).statusCode, 409)
  const items = [
    { what: 'cases_owned', count: 2 },
    { what: 'grants_given', count: 2 },
    { what: 'referrals', count: 1 },
  ]
  t.same([await left(), await left(admin)], [items, items], 'its people and the administrator see what is left')
  t.equal((await zarina.get(`${url}/remainder`)).statusCode, 403)
  t.equal((await jonas.get(`${url}/remainder`)).statusCode, 404)
  t.match((await set('closed')).json(), { status: 409, detail: 'Left: cases_owned 2, grants_given 2, referrals 1' })

  for (const each of [one, waiting]) {
    const transfer = await offered(each, asel, marta.organisation, {
      kind: 'transfer',
      grant: undefined,
      basis: consent,
    })
    t.equal((await transfer.decide(marta, 'accept')).statusCode, 200, 'it hands over by ordinary transfers')
  }
  await incoming.decide(asel, 'decline', { reason: 'incomplete' })
  t.same(await left(), [])
  t.equal((await asel.get(`/v1/cases/${foreign.id}`)).statusCode, 200)
  t.match((await set('closed')).json(), { status: 'closed', closingUntil: null })
  t.match((await zarina.get(`/v1/grants/${received.id}`)).json(), {
    state: 'closed',
    closedReason: 'organisation_closed',
  })
  t.equal((await asel.get('/v1/me')).statusCode, 401)
  t.match((await marta.get(`/v1/cases/${waiting.id}`)).json(), { owner: { id: marta.organisation.id } })
  t.match(await referral.read(bolat), { allowedDecisions: ['return'] }, 'the case keeps its way')
  t.equal(grant.state, 'open')
})

t.test('a division that closes returns or hands over what it handles', async t => {
  const { as } = await startService(t)
  const [admin, asel, bolat] = [
    await as('administrator', 'operator'),
    await as('caseworker', 'sunrise'),
    await as('officer', 'almaty-city'),
  ]
  const { referral } = await submitted(asel, bolat)
  const url = `/v1/organisations/${bolat.organisation.id}`
  t.equal((await admin.patch(url, { status: 'closing' }, ifMatch(1))).statusCode, 200)
  t.match((await admin.patch(url, { status: 'closed' }, ifMatch(2))).json(), { detail: 'Left: cases_handled 1' })
  t.equal((await referral.decide(bolat, 'return', { reason: 'incomplete' })).statusCode, 200)
  t.equal((await admin.patch(url, { status: 'closed' }, ifMatch(2))).statusCode, 200)
})

t.test('a division that closes hands over a decided case', async t => {
  const { as } = await startService(t)
  const [asel, bolat, marat, nurlan] = [
    await as('caseworker', 'sunrise'),
    await as('officer', 'almaty-city'),
    await as('supervisor', 'almaty-city'),
    await as('officer', 'turkistan'),
  ]
  const { one } = await submitted(asel, bolat)
  t.equal((await one.together(bolat, marat, decision)).statusCode, 200)
  const { clock } = await one.read(asel)
  const handOver = await offered(one, bolat, nurlan.organisation, { kind: 'hand_over', grant: undefined })
  t.equal((await handOver.decide(nurlan, 'accept')).statusCode, 200)
  t.match(await one.read(asel), { state: 'decided', handler: { id: nurlan.organisation.id }, clock })
  t.match(await one.read(bolat), { status: 404 })
  t.same((await handOver.read(nurlan)).allowedDecisions, [], 'a decision is not returned')
  t.equal((await one.step(nurlan, { action: 'open_documentation' })).statusCode, 200)
})
