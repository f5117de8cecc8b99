// A case moves to another organisation only by a referral.
import t from 'tap'
import { expireReferrals } from '../../src/procedure/referrals/expire.ts'
import { erased } from '../support/erasing.ts'
import {
  assessed,
  consent,
  offered,
  offering,
  referred,
  register,
  submitted,
  submittedWith,
} from '../support/procedure.ts'
import { startService } from '../support/service.ts'

t.test('a division sees a preview, and the file once it accepts', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const bolat = await service.as('officer', 'almaty-city')
  const gulnara = await service.as('supervisor', 'committee')
  const one = await register(aina)
  t.ok((await one.read(aina)).allowedActions.includes('submit'))
  const referral = await offered(one, aina, bolat.organisation, { message: 'Papers are with us.' })
  t.match(await one.read(aina), { state: 'submitted', clock: { waitingFor: 'recipient' } })
  t.match((await offering(one, aina, { kind: 'submission', to: bolat.organisation.id, grant: submittedWith })).json(), {
    type: '/problems/action-not-allowed',
    state: 'submitted',
  })

  const preview = await referral.read(bolat)
  t.match(preview, {
    kind: 'submission',
    state: 'offered',
    caseId: null,
    grantId: null,
    preview: { regionCode: 'KZ-75', child: false, zones: ['identity', 'contact'], purpose: 'status_determination' },
    message: 'Papers are with us.',
    allowedDecisions: ['accept', 'decline'],
  })
  t.equal((await bolat.get(`/v1/cases/${one.id}`)).statusCode, 404, 'nothing but the preview')
  t.match((await bolat.get('/v1/referrals')).json(), {
    items: [{ id: referral.id }],
    counts: { offered: 1, accepted: 0 },
  })
  const tasks = async (query: string) => (await bolat.get(`/v1/tasks?${query}`)).json().items
  t.match(await tasks('done=false'), [{ kind: 'answer_referral', referralId: referral.id, caseId: null, title: null }])
  t.same((await referral.read(aina)).allowedDecisions, ['recall'])
  t.equal((await gulnara.get(`/v1/referrals/${referral.id}`)).statusCode, 404)
  const looks = (await aina.get(`/v1/cases/${one.id}/access-log`)).json().items
  t.match(
    looks.filter(({ organisation }: { organisation: { kind: string } }) => organisation.kind === 'division'),
    [{ operation: 'listReferrals', zones: [], grants: [] }, { operation: 'getReferral' }],
    'the access log lists a read of the preview',
  )

  const accepted = (await referral.decide(bolat, 'accept', { note: 'Welcome' })).json()
  t.match(accepted, {
    state: 'accepted',
    caseId: one.id,
    allowedDecisions: ['return'],
    case: { state: 'verification', handler: { id: bolat.organisation.id }, withheld: ['whereabouts', 'protection'] },
  })
  t.match(await tasks('done=true'), [{ kind: 'answer_referral', doneBy: bolat.account }])
  t.match(await one.read(gulnara), { state: 'verification', withheld: ['contact', 'whereabouts', 'protection'] })
  const grants = (await aina.get(`/v1/cases/${one.id}/grants`)).json().items
  t.same(
    grants.map(({ basis, state, to, zones }: never) => [basis, state, (to as { kind: string }).kind, zones]).sort(),
    [
      ['consent', 'open', 'division', ['identity', 'contact']],
      ['consent', 'open', 'ngo', ['identity', 'contact', 'whereabouts', 'protection']],
      ['statute', 'open', 'committee', ['identity']],
      ['statute', 'open', 'division', ['identity']],
    ],
  )

  const returned = (await referral.decide(bolat, 'return', { reason: 'incomplete', note: 'No photograph' })).json()
  t.match(returned, { state: 'ended', reason: 'incomplete', note: 'No photograph', case: null, caseId: null })
  t.match(await one.read(aina), { state: 'assessment', handler: null, clock: { waitingFor: 'owner' } })
  t.equal(
    (await aina.get(`/v1/cases/${one.id}/referrals`)).json().items.length,
    1,
    'decisions add no further referrals',
  )
  t.equal((await bolat.get(`/v1/cases/${one.id}`)).statusCode, 404)
  t.equal((await gulnara.get(`/v1/cases/${one.id}`)).statusCode, 404)
})

t.test('a decision by the wrong party, on an old version, or after the end is refused', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const bolat = await service.as('officer', 'almaty-city')
  const nurlan = await service.as('officer', 'turkistan')
  const one = await assessed(aina)
  t.match(
    (await offering(one, aina, { kind: 'submission', to: nurlan.organisation.id, grant: submittedWith })).json(),
    {
      errors: [{ pointer: '#/to' }],
    },
  )
  const referral = await offered(one, aina, bolat.organisation)
  t.match((await referral.decide(bolat, 'recall')).json(), { type: '/problems/forbidden' })
  t.match((await referral.decide(aina, 'accept')).json(), { type: '/problems/forbidden' })
  t.match((await referral.decide(bolat, 'decline')).json(), { errors: [{ pointer: '#/reason' }] })
  t.match((await referral.decideOn(bolat, 7, { decision: 'accept' })).json(), { type: '/problems/precondition-failed' })
  t.match((await referral.decideOn(nurlan, 1, { decision: 'accept' })).json(), { type: '/problems/not-found' })
  t.match((await referral.decide(bolat, 'decline', { reason: 'wrong_region' })).json(), {
    state: 'declined',
    case: null,
  })
  t.match((await referral.decide(bolat, 'accept')).json(), { type: '/problems/referral-over' })
  t.match(await one.read(aina), { state: 'assessment' })
  const again = await offered(one, aina, bolat.organisation)
  t.match((await again.decide(aina, 'recall')).json(), { state: 'recalled', case: { state: 'assessment' } })
  t.match(await again.read(bolat), { state: 'recalled', caseId: null, allowedDecisions: [] })
})

t.test('an offer that is not accepted expires, and its case returns with the date of that day', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const bolat = await service.as('officer', 'almaty-city')
  const one = await assessed(aina)
  const referral = await offered(one, aina, bolat.organisation)
  const { expiresOn } = await referral.read(bolat)
  await service.travel(30)
  t.match(await referral.read(bolat), { state: 'expired', allowedDecisions: [] })
  t.match((await referral.decide(bolat, 'accept')).json(), { type: '/problems/referral-over' })
  t.match(await one.read(aina), { state: 'submitted' }, 'until the service ends expired offers')
  t.equal(await expireReferrals(service.db), 1)
  t.equal(await expireReferrals(service.db), 0)
  t.match(await one.read(aina), { state: 'assessment', clock: { waitingFor: 'owner', since: expiresOn } })
  const { items } = (await aina.get(`/v1/cases/${one.id}/events`)).json()
  t.match(items.at(-1), { action: 'expire', occurredOn: expiresOn, accountId: null })
})

t.test('a transfer moves the whole case at once, and the sender keeps only its own notes', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const bolat = await service.as('officer', 'almaty-city')
  const marta = await service.as('caseworker', 'iom')
  const { one } = await submitted(aina, bolat)
  t.match((await offering(one, aina, { kind: 'transfer', to: marta.organisation.id })).json(), {
    errors: [{ pointer: '#/basis' }],
  })
  const transfer = await offered(one, aina, marta.organisation, { kind: 'transfer', grant: undefined, basis: consent })
  t.match((await transfer.read(marta)).preview, { zones: ['identity', 'contact', 'whereabouts', 'protection'] })
  const note = (await aina.post(`/v1/cases/${one.id}/notes`, { audience: 'organisation', text: 'Ours.' })).json().id
  const task = (await aina.post(`/v1/cases/${one.id}/tasks`, { title: 'Call', assigneeId: aina.account })).json().id
  const dina = await service.as('caseworker', 'common-home')
  const grant = { ...submittedWith, purpose: 'service_referral' }
  const open = await offered(one, aina, dina.organisation, { kind: 'service', grant })
  const before = await one.version(aina)
  t.match((await transfer.decide(marta, 'accept')).json(), {
    case: {
      owner: { id: marta.organisation.id },
      assigneeId: marta.account,
      state: 'verification',
      version: before + 1,
      withheld: [],
    },
  })
  t.equal((await aina.get(`/v1/cases/${one.id}`)).statusCode, 404)
  t.match((await aina.get(`/v1/notes/${note}`)).json(), { text: 'Ours.' })
  t.equal((await marta.get(`/v1/notes/${note}`)).statusCode, 404)
  t.match((await marta.get(`/v1/tasks/${task}`)).json(), { title: 'Call', assigneeId: marta.account })
  t.equal((await aina.get(`/v1/tasks/${task}`)).statusCode, 404)
  t.match(await open.read(dina), { from: { id: marta.organisation.id }, state: 'offered' })
  t.match((await open.decide(aina, 'recall')).json(), { type: '/problems/not-found' })
  t.match((await open.decide(marta, 'recall')).json(), { state: 'recalled' })
  t.match(await one.read(bolat), {
    state: 'verification',
    owner: { id: marta.organisation.id },
    withheld: ['whereabouts', 'protection'],
  })
  const { items } = (await marta.get(`/v1/cases/${one.id}/grants`)).json()
  t.match(
    items.find((grant: { closedReason: string }) => grant.closedReason === 'transferred'),
    { to: { id: aina.organisation.id } },
  )
})

t.test('a division hands a case over to another division', async t => {
  const service = await startService(t)
  const aina = await service.as('caseworker', 'sunrise')
  const bolat = await service.as('officer', 'almaty-city')
  const nurlan = await service.as('officer', 'turkistan')
  const gulnara = await service.as('supervisor', 'committee')
  const { one, referral } = await submitted(aina, bolat)
  const handOver = await offered(one, bolat, nurlan.organisation, { kind: 'hand_over', grant: undefined })
  t.match((await referred(handOver.id).decide(aina, 'recall')).json(), { type: '/problems/forbidden' })
  t.match((await handOver.decide(nurlan, 'accept')).json(), { case: { handler: { id: nurlan.organisation.id } } })
  t.equal((await bolat.get(`/v1/cases/${one.id}`)).statusCode, 404)
  t.match(await one.read(gulnara), { handler: { id: nurlan.organisation.id } })
  t.equal((await handOver.read(bolat)).status, 404, 'the former handler can no longer read it')
  t.same((await referral.read(bolat)).allowedDecisions, [])
  t.match((await referral.decide(bolat, 'return', { reason: 'incomplete' })).json(), {
    type: '/problems/action-not-allowed',
  })
  t.match((await handOver.decide(nurlan, 'return', { reason: 'incomplete' })).json(), { state: 'ended', case: null })
  t.match(await one.read(aina), { state: 'assessment', handler: null })
})

t.test('a case whose file was erased is not offered, and the document says so', async t => {
  const service = await startService(t)
  const [asel, dina] = [await service.as('caseworker', 'sunrise'), await service.as('supervisor', 'sunrise')]
  const one = await assessed(asel)
  await one.step(asel, { action: 'withdraw' })
  await erased(asel, dina, one.id)
  const offer = await offering(one, asel, { kind: 'submission', to: service.organisation('almaty-city').id })
  t.equal(offer.statusCode, 409)
  const { paths } = service.app.openapi() as { paths: Record<string, { post: { responses: object } }> }
  t.match(paths['/v1/cases/{id}/referrals']?.post.responses, { 409: { $ref: /FileErased/ } })
})
