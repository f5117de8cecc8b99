import t from 'tap'
import { append } from '../../../src/casefile/events/append.ts'
import { findings } from '../../../src/oversight/audit/holds.ts'
import { asking, erased, people, person } from '../../support/erasing.ts'
import { consent, decision, document, offered, register, submitted } from '../../support/procedure.ts'
import { ifMatch, type Someone, startService } from '../../support/service.ts'

const randomId = () => crypto.randomUUID()

t.test('a file that is in use, or is kept by a flag or a law, is not erased', async t => {
  const service = await startService(t)
  const { asel, dina, zarina } = await people(service)
  const [bolat, marat, aliya, gulnara] = await Promise.all([
    service.as('officer', 'almaty-city'),
    service.as('supervisor', 'almaty-city'),
    service.as('officer', 'committee'),
    service.as('supervisor', 'committee'),
  ])
  const stays = async (who: Someone, id: string, why: RegExp) => {
    t.match((await asking(who, id)).json(), { type: '/problems/file-must-stay', status: 409, detail: why })
    t.match((await who.get(`/v1/cases/${id}/erasure-plan`)).json().kept, why)
  }
  const { one } = await submitted(asel, bolat)
  const id = one.id
  await stays(asel, id, /^In use: the case is open/)
  await bolat.post(`/v1/cases/${id}/notes`, { text: 'Registered here in 1992' })
  await stays(bolat, id, /^In use: the case is open/)
  t.equal((await one.together(bolat, marat, decision)).statusCode, 200)
  await one.step(bolat, { action: 'open_documentation' })
  t.equal((await one.together(bolat, marat, document())).statusCode, 200)
  const [paper] = (await bolat.get(`/v1/cases/${id}/documents`)).json().items
  await one.step(asel, { action: 'hand_over_document', document: paper.id, handedOverTo: 'person' })
  const closed = await one.step(asel, { action: 'close', reason: 'documented' })
  t.equal(closed.statusCode, 200, closed.body)
  await stays(bolat, id, /^To be kept until \d{4}-\d\d-\d\d by law: .*archives/)

  const flag = await asel.post(`/v1/cases/${id}/flags`, { kind: 'legal_hold', reason: 'A complaint' })
  await stays(dina, id, /flag/)
  await asel.post(`/v1/flags/${flag.json().id}/clearance`, { reason: 'Settled' }, ifMatch(1))

  const aid = {
    to: zarina.organisation.id,
    purpose: 'legal_aid',
    zones: ['identity'],
    validUntil: '2031-11-23',
    basis: consent,
  }
  const shared = (await asel.post(`/v1/cases/${id}/grants`, aid)).json()
  t.equal((await zarina.get(`/v1/cases/${id}`)).statusCode, 200)
  const plan = (await asel.get(`/v1/cases/${id}/erasure-plan`)).json()
  t.equal(plan.goes.grants, 2, 'the grant of the submission, and this one')
  const theirs = plan.stays.find(
    (one: { organisation: { id: string } | null }) => one.organisation?.id === bolat.organisation.id,
  )
  t.match(theirs, { what: 'held_by_others', law: /archives/, until: /^\d{4}/ })
  await erased(asel, dina, id)
  t.equal((await zarina.get(`/v1/cases/${id}`)).statusCode, 404)
  t.match((await zarina.get(`/v1/grants/${shared.id}`)).json(), { state: 'closed', closedReason: 'erased' })
  const reopened = { case_id: id, action: 'reopen', facts: { basis: consent } } as const
  t.equal((await one.step(asel, { action: 'reopen', basis: consent, reason: 'New facts' })).statusCode, 409)
  await t.rejects(
    service.workAs(asel, 'cases:write', tx => append(tx, [reopened])),
    { message: 'action-not-allowed' },
    'nor by an event in SQL',
  )
  t.same((await one.read(bolat)).person, {})
  t.match(
    (await bolat.get(`/v1/cases/${id}/decisions`)).json().items,
    [{ reasons: decision.reasons }],
    'the authority keeps its decision',
  )
  t.match((await bolat.get(`/v1/cases/${id}/documents`)).json().items, [{ number: '045123987', iin: '900101300007' }])
  t.match((await bolat.get(`/v1/cases/${id}/notes`)).json().items, [{ text: 'Registered here in 1992' }])
  t.equal(
    (await aliya.post('/v1/cases/search', { documentNumber: '045123987' })).json().items.length,
    1,
    'the authority keeps its register',
  )
  t.equal(
    (await bolat.post(`/v1/cases/${id}/notes`, { text: 'Still' })).statusCode,
    201,
    'the authority can still write notes',
  )
  t.match((await aliya.get(`/v1/cases/${id}/erasure-plan`)).json(), { type: '/problems/nothing-held', status: 409 })
  t.equal(
    (await gulnara.post(`/v1/cases/${id}/notes`, { text: 'New' })).statusCode,
    409,
    'an organisation that held nothing cannot write',
  )
  for (const url of [`/v1/cases/${id}/erasure-plan`, `/v1/cases/${randomId()}/erasure-plan`])
    t.equal((await zarina.get(url)).statusCode, 404, 'as for a case that does not exist')
  t.equal((await asking(zarina, id)).statusCode, 404)

  await service.travel(11 * 366)
  await erased(bolat, marat, id)
  t.equal((await bolat.get(`/v1/cases/${id}`)).statusCode, 404)
  const [left] = await service.owner`
    select (select count(*)::int from data_keys where case_id = ${id}) as keys, number_hmac, iin_hmac,
      (select facts from case_events e where e.id = d.event_id) as facts, (select facts from proposals p where p.case_id = ${id} and p.action = 'record_document') as proposed
    from documents d where case_id = ${id}`
  t.match(left, { keys: 0, number_hmac: null, iin_hmac: null, facts: { documentType: 'citizen_identity_card' } })
  for (const facts of [left?.facts, left?.proposed])
    t.notOk('numberHmac' in (facts ?? {}) || 'iinHmac' in (facts ?? {}))
  t.same(await findings(service.endpoint('owner')), [])
})

t.test('a transfer moves the file to the new owner, and an organisation keeps the texts that it typed', async t => {
  const service = await startService(t)
  const { asel, dina, zarina, kamila } = await people(service)
  const transferred = async () => {
    const one = await register(asel, { person })
    await asel.post(`/v1/cases/${one.id}/notes`, { text: 'Ours alone' })
    await one.step(asel, { action: 'start_assessment', occurredOn: '2021-03-08' })
    const referral = await offered(one, asel, zarina.organisation, {
      kind: 'transfer',
      grant: undefined,
      basis: { ...consent, method: 'oral_with_witness', witness: 'Гүлнара' },
      message: 'She moved to you',
    })
    t.equal((await referral.decide(zarina, 'accept')).statusCode, 200)
    return one
  }
  const [kept, left] = [await transferred(), await transferred()]
  const ours = async (id: string) =>
    (await asel.get('/v1/notes')).json().items.find(({ caseId }: { caseId: string }) => caseId === id)?.text

  await erased(asel, dina, left.id)
  t.equal(await ours(left.id), null, 'the former owner erased its own texts')
  t.match(
    (await left.read(zarina)).person,
    { contact: { phones: ['+77010000001'] } },
    'the file, which it no longer owns, stays',
  )
  t.match(
    (await zarina.put(`/v1/cases/${left.id}/person/contact`, { phones: ['+77010000009'] }, ifMatch(1))).statusCode,
    200,
  )
  t.ok((await left.read(zarina)).allowedActions.length)

  await kept.step(zarina, { action: 'withdraw', note: 'Enough' })
  await erased(zarina, kamila, kept.id)
  t.same((await kept.read(zarina)).person, {}, 'the new owner erased the whole file')
  t.equal(await ours(kept.id), 'Ours alone')
  t.same(await findings(service.endpoint('owner')), [])
})
