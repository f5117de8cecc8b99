import t from 'tap'
import { assessed, decision, document, refusal, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, startService } from '../support/service.ts'

t.test(
  'a case of a division goes from registration to the handover of the document, with confirmations by a colleague',
  async t => {
    const { as } = await startService(t)
    const [nurlan, kairat, aliya] = [
      await as('officer', 'turkistan'),
      await as('supervisor', 'turkistan'),
      await as('officer', 'committee'),
    ]
    const one = await register(nurlan)
    t.match(await one.read(nurlan), {
      state: 'registered',
      clock: { waitingFor: 'owner', since: '2021-03-04', dueOn: '2021-03-11' },
      allowedActions: ['amend', 'start_assessment', 'close', 'renew_basis', 'withdraw'],
    })
    t.match((await one.step(nurlan, { action: 'start_assessment', occurredOn: '2021-03-05' })).json(), {
      event: { action: 'start_assessment', occurredOn: '2021-03-05' },
      case: { state: 'assessment', version: 2 },
    })
    const taken = await one.step(nurlan, { action: 'take_up', occurredOn: '2021-03-08' })
    t.match(taken.headers.etag, /^"3-[\da-f]{16}"$/)
    t.match(taken.json().case, {
      state: 'verification',
      handler: nurlan.organisation,
      clock: { waitingFor: 'handler' },
    })

    const alone = await one.step(nurlan, { ...decision, action: 'close', reason: 'error' })
    t.match(alone.json(), { status: 400 }, 'a field that the action does not have is refused')
    const proposed = await one.propose(nurlan, { ...decision, occurredOn: '2021-05-03' })
    t.equal(proposed.statusCode, 201)
    t.match(proposed.json(), {
      state: 'open',
      facts: { outcome: 'kz_citizenship_confirmed' },
      text: { reasons: 'Registered here in 1992.' },
      proposedBy: nurlan.account,
      identityVersion: 1,
      allowedDecisions: ['reject'],
    })
    const proposal = proposed.json().id
    t.equal((await one.confirm(nurlan, proposal)).statusCode, 403, 'an officer does not confirm')
    const waiting = (await kairat.get('/v1/proposals?awaiting=me')).json().items
    t.match(waiting, [{ id: proposal, allowedDecisions: ['confirm', 'reject'] }])
    const decided = await one.confirm(kairat, proposal)
    t.match(decided.json(), {
      event: { action: 'decide', occurredOn: '2021-05-03' },
      case: { state: 'decided', outcome: 'kz_citizenship_confirmed', handler: { kind: 'division' } },
    })
    t.match((await one.confirm(kairat, proposal, 2)).json(), { type: '/problems/proposal-settled' })
    t.same((await kairat.get('/v1/proposals?awaiting=me')).json().items, [])

    t.equal((await one.step(nurlan, { action: 'open_documentation', occurredOn: '2021-05-04' })).statusCode, 200)
    const documented = await one.together(nurlan, kairat, {
      ...document(undefined, '2021-06-01'),
      occurredOn: '2021-06-01',
    })
    t.match(documented.json().case, { state: 'documented', clock: { waitingFor: 'handler', dueOn: '2021-06-15' } })
    const [card] = (await nurlan.get(`/v1/cases/${one.id}/documents`)).json().items
    t.match(card, {
      type: 'citizen_identity_card',
      number: '045123987',
      iin: '900101300007',
      handedOver: null,
      annulled: false,
    })
    const handed = { action: 'hand_over_document', documentId: card.id, to: 'person', occurredOn: '2021-06-10' }
    t.ok((await one.read(nurlan)).allowedActions.includes('hand_over_document'))
    t.match((await one.step(nurlan, handed)).json().case, { state: 'documented', clock: { waitingFor: 'owner' } })
    t.match(
      (await one.step(nurlan, handed)).json(),
      { status: 409, state: 'documented' },
      'a document is handed over once',
    )
    t.match((await nurlan.get(`/v1/cases/${one.id}/documents`)).json().items, [
      { handedOver: { on: '2021-06-10', to: 'person' } },
    ])
    const closed = await one.step(nurlan, { action: 'close', reason: 'documented', occurredOn: '2021-06-11' })
    t.match(closed.json().case, { state: 'closed', clock: null, allowedActions: ['reopen'] })

    const { items } = (await aliya.get(`/v1/cases/${one.id}/events`)).json()
    t.same(
      items.map(({ action }: { action: string }) => action),
      [
        'register',
        'start_assessment',
        'take_up',
        'decide',
        'open_documentation',
        'record_document',
        'hand_over_document',
        'close',
      ],
      'the committee sees all events',
    )
    t.match((await aliya.get(`/v1/cases/${one.id}/decisions`)).json().items, [
      {
        outcome: 'kz_citizenship_confirmed',
        polarity: 'positive',
        reasons: 'Registered here in 1992.',
        evidence: ['Certificate of the housing office'],
        identityVersion: 1,
        current: true,
        finalOn: null,
      },
    ])
  },
)

t.test('only the committee refuses, and a refusal is final only after the term of appeal', async t => {
  const { as, travel } = await startService(t)
  const [nurlan, kairat, gulnara, yerlan, aliya] = [
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
    await as('supervisor', 'committee'),
    await as('supervisor', 'committee', 1),
    await as('officer', 'committee'),
  ]
  const one = await assessed(nurlan)
  await one.step(nurlan, { action: 'take_up' })
  t.match(
    (await one.propose(nurlan, refusal)).json(),
    { type: '/problems/action-not-allowed' },
    'a division cannot refuse',
  )
  t.match((await one.propose(nurlan, { ...decision, outcome: 'foreign_citizenship_confirmed' })).json(), {
    status: 400,
    errors: [{ pointer: '#/country' }],
  })
  t.match((await one.propose(nurlan, { ...decision, country: 'UZB' })).json(), {
    status: 400,
    errors: [{ pointer: '#/country' }],
  })
  t.match((await one.propose(nurlan, { ...decision, outcome: 'nothing' })).json(), {
    status: 400,
    errors: [{ pointer: '#/outcome' }],
  })
  const refused = await one.together(aliya, gulnara, refusal)
  t.match(refused.json().case, { state: 'decided', outcome: 'refused', clock: { waitingFor: 'owner' } })
  const [{ finalOn, current } = {}] = (await nurlan.get(`/v1/cases/${one.id}/decisions`)).json().items
  t.match({ finalOn, current }, { finalOn: String, current: true })
  const closing = { action: 'close', reason: 'outcome_final_negative' }
  t.match((await one.propose(nurlan, closing)).json(), { status: 409, state: 'decided' }, 'not yet')
  t.match(
    (await one.step(nurlan, { action: 'open_documentation' })).json(),
    { status: 409 },
    'a refusal has no document',
  )
  await travel(40)
  t.match((await one.together(nurlan, kairat, closing)).json().case, { state: 'closed' }, 'after the term')
  t.equal((await one.propose(yerlan, refusal)).statusCode, 409, 'a closed case cannot be decided')
})

t.test('a proposal can be confirmed by one other person, until it expires', async t => {
  const { as, travel } = await startService(t)
  const [asel, dina, pavel, kairat, zarina] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('supervisor', 'sunrise', 1),
    await as('supervisor', 'turkistan'),
    await as('supervisor', 'common-home'),
  ]
  const one = await register(asel)
  const closing = { action: 'close', reason: 'error', note: 'Twice on file' }
  t.match((await one.step(asel, closing)).json(), { status: 409, type: '/problems/two-persons-required' })
  const first = (await one.propose(dina, closing)).json()
  t.match((await one.propose(asel, closing)).json(), { type: '/problems/proposal-pending' })
  t.match((await one.confirm(dina, first.id)).json(), { status: 403, type: '/problems/same-person' })
  for (const stranger of [kairat, zarina]) {
    t.equal((await stranger.get(`/v1/proposals/${first.id}`)).statusCode, 404)
    t.equal((await one.confirm(stranger, first.id)).statusCode, 404)
    t.same((await stranger.get('/v1/proposals')).json().items, [])
  }
  const reject = (who: typeof asel, id: string) =>
    who.post(`/v1/proposals/${id}/rejection`, { reason: 'Not so' }, ifMatch(1))
  t.equal((await reject(asel, first.id)).statusCode, 403, 'a caseworker cannot reject the proposal of another account')
  t.match((await reject(pavel, first.id)).json(), {
    state: 'rejected',
    settledBy: pavel.account,
    rejection: 'Not so',
    version: 2,
  })
  const second = (await one.propose(asel, closing)).json()
  t.match(
    (await reject(asel, second.id)).json(),
    { state: 'rejected', settledBy: asel.account },
    'the proposer withdraws it',
  )
  const third = (await one.propose(asel, closing)).json()
  t.match((await one.step(asel, { action: 'start_assessment' })).json().case, { state: 'assessment' })
  t.equal((await one.step(asel, { action: 'withdraw' })).statusCode, 200)
  t.match(
    (await one.confirm(dina, third.id)).json(),
    { type: '/problems/action-not-allowed' },
    'the case has moved since',
  )

  const other = await register(asel)
  const late = (await other.propose(asel, closing)).json()
  await travel(20)
  t.match((await asel.get(`/v1/proposals/${late.id}`)).json(), { state: 'expired', allowedDecisions: [] })
  t.match((await other.confirm(dina, late.id)).json(), { type: '/problems/proposal-settled' })
  t.equal((await other.propose(asel, closing)).statusCode, 201, 'after it expired another one can be made')
})

t.test('events are dated in order, and a step names the version of the case that it is based on', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const one = await register(asel)
  const start = (occurredOn?: string) =>
    one.step(asel, { action: 'start_assessment', ...(occurredOn && { occurredOn }) })
  const faults = async (response: ReturnType<typeof start>) => (await response).json().errors
  const before = [{ pointer: '#/occurredOn', detail: 'Expected a day on or after the last event of the case' }]
  const future = [{ pointer: '#/occurredOn', detail: 'Expected today or an earlier day' }]
  t.same(await faults(start('2021-03-03')), before, 'before the registration')
  t.same(await faults(start('2999-01-01')), future)
  const closing = { action: 'close', reason: 'error' }
  t.same(await faults(one.propose(asel, { ...closing, occurredOn: '2021-03-03' })), before)
  t.same(await faults(one.propose(asel, { ...closing, occurredOn: '2999-01-01' })), future)
  const url = `/v1/cases/${one.id}/transitions`
  const body = { action: 'start_assessment' }
  t.equal((await asel.post(url, body, ifMatch(1))).statusCode, 400, 'no key')
  t.equal((await asel.post(url, body, idempotencyKey())).statusCode, 428)
  t.equal((await asel.post(url, body, { ...idempotencyKey(), ...ifMatch(2) })).statusCode, 412)
  const key = idempotencyKey()
  const first = await asel.post(url, body, { ...key, ...ifMatch(1) })
  const again = await asel.post(url, body, { ...key, ...ifMatch(1) })
  t.equal(again.statusCode, 200, 'the key is checked before the version')
  t.same(again.json(), first.json())
  t.match((await asel.get(`/v1/cases/${one.id}/events`)).json().items.length, 2)
  t.match((await asel.post(url, { action: 'take_up' }, { ...idempotencyKey(), ...ifMatch(2) })).json(), {
    status: 409,
    type: '/problems/action-not-allowed',
    state: 'assessment',
    allowedActions: ['amend', 'submit', 'close', 'renew_basis', 'withdraw', 'annul'],
  })
})
