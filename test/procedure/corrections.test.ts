import t from 'tap'
import { openTo } from '../support/opening.ts'
import { assessed, decision, document, refusal, register, takenUp } from '../support/procedure.ts'
import { ifMatch, registration, startService } from '../support/service.ts'

t.test('two persons annul an event entered by mistake, and it no longer counts', async t => {
  const { as, superuser } = await startService(t)
  const [nurlan, kairat, asel, dina] = [
    await as('officer', 'turkistan'),
    await as('supervisor', 'turkistan'),
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
  ]
  const one = await register(nurlan)
  const at = (action: string) => async () => {
    const { items } = (await nurlan.get(`/v1/cases/${one.id}/events`)).json()
    return items.findLast((event: { action: string }) => event.action === action).id as string
  }
  const annul = async (eventId: string) =>
    one.together(nurlan, kairat, { action: 'annul', eventId, reason: 'The wrong file' })
  await one.step(nurlan, { action: 'amend', regionCode: 'KZ-61', reason: 'Moved', occurredOn: '2021-03-10' })
  t.equal((await one.read(nurlan)).regionCode, 'KZ-61')
  t.match((await annul(await at('amend')())).json().case, { regionCode: 'KZ-75', state: 'registered' })
  t.equal((await annul(await at('amend')())).statusCode, 409, 'an event is annulled once')
  t.equal((await annul(await at('register')())).statusCode, 409, 'the registration cannot be annulled')
  await one.step(nurlan, { action: 'start_assessment', occurredOn: '2021-03-09' })
  await one.step(nurlan, { action: 'take_up', occurredOn: '2021-03-09' })
  t.match((await annul(await at('start_assessment')())).json(), { status: 409 }, 'a later event depends on it')
  await one.together(nurlan, kairat, { ...decision, occurredOn: '2021-03-09' })
  await one.step(nurlan, { action: 'open_documentation', occurredOn: '2021-03-09' })
  await one.together(nurlan, kairat, { ...document('N1', '2021-06-01'), occurredOn: '2021-06-01' })
  const taken = await register(nurlan)
  for (const action of ['start_assessment', 'take_up']) await taken.step(nurlan, { action })
  await taken.together(nurlan, kairat, decision)
  await taken.step(nurlan, { action: 'open_documentation' })
  const twin = (await taken.propose(nurlan, document('n 1'))).json()
  t.match((await taken.confirm(kairat, twin.id)).json(), { status: 409, type: '/problems/already-exists' })
  t.equal(
    (await superuser`select from entries where outcome = 'already-exists' and case_ids @> ${[one.id]}::uuid[]`).length,
    1,
    'the refusal is recorded with the case that has the number',
  )
  t.match((await annul(await at('record_document')())).json().case, {
    state: 'documentation',
    allowedActions: ['amend', 'discontinue', 'record_document', 'renew_basis', 'withdraw', 'annul'],
  })
  t.match((await nurlan.get(`/v1/cases/${one.id}/documents`)).json().items, [{ annulled: true }])
  t.match((await taken.confirm(kairat, twin.id)).json().case, { state: 'documented' }, 'the number is free again')
  t.match((await annul(await at('open_documentation')())).json().case, { state: 'decided' })
  t.match((await annul(await at('decide')())).json().case, {
    state: 'verification',
    outcome: null,
    handler: { kind: 'division' },
  })
  t.match((await nurlan.get(`/v1/cases/${one.id}/decisions`)).json().items, [{ annulled: true, current: false }])

  const theirs = await assessed(asel)
  const { items } = (await asel.get(`/v1/cases/${theirs.id}/events`)).json()
  const body = { action: 'annul', eventId: items[1].id, reason: 'Too early' }
  t.match((await theirs.together(asel, dina, body)).json().case, { state: 'registered' })
  t.equal(
    (await theirs.step(asel, { action: 'start_assessment', occurredOn: '2021-03-06' })).statusCode,
    200,
    'the step is taken again, on the right day',
  )
})

t.test('a case is closed, reopened with a new legal basis, and withdrawn finally', async t => {
  const { as, superuser } = await startService(t)
  const [asel, dina] = [await as('caseworker', 'sunrise'), await as('supervisor', 'sunrise')]
  const one = await register(asel)
  await one.together(asel, dina, { action: 'close', reason: 'lost_contact' })
  const basis = { kind: 'consent', method: 'thumbprint', language: 'ru', formVersion: '2026-1' }
  t.match(
    (
      await one.step(asel, {
        action: 'reopen',
        basis: { kind: 'statute', legalReference: 'order_607' },
        reason: 'Back',
      })
    ).json(),
    { status: 400, errors: [{ pointer: '#/basis/kind' }] },
  )
  const reopened = await one.step(asel, { action: 'reopen', basis, reason: 'They came back' })
  t.match(reopened.json().case, {
    state: 'assessment',
    handler: null,
    basis: { method: 'thumbprint', formVersion: '2026-1' },
  })
  t.match(
    [...(await superuser`select closed_reason from grants where case_id = ${one.id} order by opened_at`)],
    [{ closed_reason: 'renewed' }, { closed_reason: null }],
  )
  const zarina = await as('caseworker', 'common-home')
  await openTo(superuser, one.id, asel, zarina)
  t.equal((await zarina.get(`/v1/cases/${one.id}`)).statusCode, 200)
  t.match((await one.step(asel, { action: 'withdraw', note: 'She prefers to go home' })).json().case, {
    state: 'withdrawn',
    allowedActions: [],
  })
  t.equal((await zarina.get(`/v1/cases/${one.id}`)).statusCode, 404, 'grants by consent close at once')
  for (const action of ['amend', 'start_assessment', 'reopen', 'withdraw'])
    t.equal(
      (
        await one.step(asel, {
          action,
          ...(action === 'amend' && { category: 'no_document', reason: 'x' }),
          ...(action === 'reopen' && { basis, reason: 'x' }),
        })
      ).statusCode,
      409,
      action,
    )
  const identity = await asel.put(
    `/v1/cases/${one.id}/person/identity`,
    { names: 'unknown', sex: 'unknown', birth: { precision: 'unknown' } },
    ifMatch(1),
  )
  t.match(identity.json(), { status: 409 }, 'the zones can no longer change')
})

t.test('a committee sees the texts of its division, and the division does not see those of the committee', async t => {
  const { as } = await startService(t)
  const [nurlan, aliya, gulnara] = [
    await as('officer', 'turkistan'),
    await as('officer', 'committee'),
    await as('supervisor', 'committee'),
  ]
  const one = await takenUp(nurlan)
  await one.step(nurlan, { action: 'amend', category: 'no_document', reason: 'A word of the division' })
  const refused = await one.together(aliya, gulnara, refusal)
  const annulment = await one.propose(aliya, {
    action: 'annul',
    eventId: refused.json().event.id,
    reason: 'A word of the committee',
  })
  t.same(
    (await nurlan.get('/v1/proposals')).json().items,
    [],
    'the division does not see the proposals of the committee',
  )
  t.equal((await nurlan.get(`/v1/proposals/${annulment.json().id}`)).statusCode, 404)
  t.equal((await one.confirm(gulnara, annulment.json().id)).statusCode, 200)
  const texts = async (who: typeof nurlan) =>
    (await who.get(`/v1/cases/${one.id}/events`))
      .json()
      .items.flatMap(({ text }: { text: object | null }) => text ?? [])
  t.same(await texts(nurlan), [{ reason: 'A word of the division' }])
  t.same(await texts(aliya), [{ reason: 'A word of the division' }, { reason: 'A word of the committee' }])
  const [, , , , last] = (await nurlan.get(`/v1/cases/${one.id}/events`)).json().items
  t.match(
    last,
    { action: 'decide', annulled: true, accountId: null, proposedBy: null },
    'accounts of other organisations are hidden',
  )
})

t.test(
  'a proposal can be confirmed only while the case and the identity are unchanged and its proposer is active',
  async t => {
    const { as, owner } = await startService(t)
    const [nurlan, saule, kairat] = [
      await as('officer', 'turkistan'),
      await as('officer', 'turkistan', 1),
      await as('supervisor', 'turkistan'),
    ]
    const one = await takenUp(nurlan)
    const identity = registration().person.identity
    const first = (await one.propose(nurlan, decision)).json()
    await nurlan.put(`/v1/cases/${one.id}/person/identity`, { ...identity, sex: 'female' }, ifMatch(1))
    t.match(
      (await one.confirm(kairat, first.id)).json(),
      { status: 409, state: 'verification', allowedActions: [] },
      'the identity has changed',
    )
    await nurlan.post(`/v1/proposals/${first.id}/rejection`, { reason: 'To be proposed again' }, ifMatch(1))
    const second = (await one.propose(saule, decision)).json()
    await owner`update accounts set status = 'disabled' where id = ${saule.account}`
    t.match(
      (await one.confirm(kairat, second.id)).json(),
      { type: '/problems/proposal-settled' },
      'the account that proposed it is disabled',
    )
    await kairat.post(`/v1/proposals/${second.id}/rejection`, { reason: 'She left' }, ifMatch(1))
    t.equal((await one.together(nurlan, kairat, decision)).statusCode, 200)
    await one.step(nurlan, { action: 'open_documentation' })
    t.match((await one.propose(nurlan, { ...document(), expiresOn: '2020-01-01' })).json().errors, [
      { pointer: '#/expiresOn' },
    ])
    t.match(
      (await one.propose(nurlan, { ...document(), issuedOn: '2090-01-01', expiresOn: undefined })).json().errors,
      [{ pointer: '#/issuedOn' }],
      'issued after it was recorded',
    )
    const closing = (await one.propose(nurlan, { action: 'discontinue', reason: 'died', reasons: 'x' })).json()
    await one.step(nurlan, { action: 'withdraw' })
    t.same(
      (await kairat.get('/v1/proposals?awaiting=me')).json().items,
      [],
      'a proposal that cannot be confirmed is not listed',
    )
    t.match((await kairat.get(`/v1/proposals/${closing.id}`)).json(), { allowedDecisions: ['reject'] })
  },
)

t.test('a proposal dated before an event that was recorded since cannot be confirmed', async t => {
  const { as } = await startService(t)
  const [nurlan, kairat] = [await as('officer', 'turkistan'), await as('supervisor', 'turkistan')]
  const one = await takenUp(nurlan)
  const proposed = (await one.propose(nurlan, { ...decision, occurredOn: '2021-03-09' })).json()
  await one.step(nurlan, { action: 'amend', regionCode: 'KZ-61', reason: 'Moved', occurredOn: '2021-03-20' })
  t.match((await one.confirm(kairat, proposed.id)).json(), {
    type: '/problems/action-not-allowed',
    detail: 'A later event was recorded since this was proposed',
    state: 'verification',
  })
  t.equal((await one.read(nurlan)).outcome, null)
})
