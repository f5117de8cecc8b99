import t from 'tap'
import { findings } from '../../src/oversight/audit/holds.ts'
import { entrustCases } from '../../src/oversight/closing/entrust.ts'
import { enterNobody } from '../../src/platform/db/admission.ts'
import { sql } from '../../src/platform/db/drizzle.ts'
import { assessed, consent, following, offered, register, submitted } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, type Someone, startService } from '../support/service.ts'

const person = { ...registration().person, contact: { phones: ['+77010000000'] }, whereabouts: {}, protection: {} }
const sharing = (who: Someone, id: string, to: Someone) =>
  who.post(
    `/v1/cases/${id}/grants`,
    { to: to.organisation.id, purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-01-01', basis: consent },
    idempotencyKey(),
  )
const toCommonHome = (who: Someone) => ({ kind: 'transfer', to: who.organisation.id, basis: consent })

/** People, an NGO that can be closed (`close` returns how many of its cases the custodian got), and the custodian. */
async function begin(t: Parameters<typeof startService>[0]) {
  const service = await startService(t)
  const { as, db, travel } = service
  const people = {
    admin: await as('administrator', 'operator'),
    asel: await as('caseworker', 'sunrise'),
    dina: await as('supervisor', 'sunrise'),
    zarina: await as('caseworker', 'common-home'),
    bolat: await as('officer', 'almaty-city'),
    marta: await as('caseworker', 'iom'),
    jonas: await as('supervisor', 'iom'),
  }
  const { admin, asel, jonas } = people
  const set = async (who: Someone, body: object, by = admin) => {
    const url = `/v1/organisations/${who.organisation.id}`
    return by.patch(url, body, ifMatch((await admin.get(url)).json().version))
  }
  const close = async () => {
    await set(jonas, { custodian: true })
    await set(asel, { status: 'closing' })
    await travel(91)
    return entrustCases(db)
  }
  return { ...service, ...people, set, close }
}

t.test('an administrator names an IOM as the custodian, which cannot be closed then', async t => {
  const { admin, jonas, dina, set } = await begin(t)
  const read = async () => (await dina.get(`/v1/organisations/${jonas.organisation.id}`)).json()
  t.match((await set(dina, { custodian: true })).json(), { status: 400, errors: [{ pointer: '#/custodian' }] })
  t.equal((await set(jonas, { custodian: true }, jonas)).statusCode, 403)
  t.match((await set(jonas, { custodian: true })).json(), { custodian: true })
  t.match(await read(), { custodian: true })
  t.match((await set(jonas, { status: 'closing' }, admin)).json(), { type: '/problems/organisation-in-use' })
})

t.test('nothing is entrusted before the closing is over, or without a custodian', async t => {
  const { asel, jonas, set, db, travel } = await begin(t)
  await register(asel)
  await set(jonas, { custodian: true })
  t.equal(await entrustCases(db), 0, 'an active organisation')
  await set(asel, { status: 'closing' })
  await travel(90)
  t.equal(await entrustCases(db), 0, 'the last day')
  await travel(91)
  t.equal(await entrustCases(db), 1)
  t.equal(await entrustCases(db), 0)
})

t.test('without a custodian the cases stay, and the organisation is not closed', async t => {
  const { asel, set, db, travel } = await begin(t)
  await register(asel)
  await set(asel, { status: 'closing' })
  await travel(91)
  t.equal(await entrustCases(db), 0)
  t.match((await set(asel, { status: 'closed' })).json(), { status: 409, detail: 'Left: cases_owned 1' })
})

t.test('supervisors of the custodian see number, state and contact; its caseworkers see nothing', async t => {
  const service = await begin(t)
  const { asel, dina, zarina, bolat, marta, jonas, close, set, superuser } = service
  const shared = await register(asel, { person })
  const grant = (await sharing(asel, shared.id, zarina)).json()
  await asel.post(`/v1/cases/${shared.id}/tasks`, { title: 'Canary' }, idempotencyKey())
  const waiting = await assessed(asel, { person })
  const offer = await offered(waiting, asel, bolat.organisation)
  const { one: handled } = await submitted(asel, bolat, { person })
  const closed = await register(asel)
  await closed.step(asel, { action: 'withdraw' })
  await dina.post(`/v1/cases/${closed.id}/erasures`, { basis: 'consent_withdrawn', reason: 'Asked' }, idempotencyKey())

  t.equal(await close(), 3, 'a case that has ended stays')
  t.same(await findings(service.endpoint('owner')), [])
  t.match(await shared.read(jonas), {
    state: 'registered',
    owner: { id: jonas.organisation.id },
    assigneeId: null,
    basis: { kind: 'custody', method: null },
    person: { contact: { phones: ['+77010000000'] } },
    withheld: ['identity', 'whereabouts', 'protection'],
    allowedActions: ['renew_basis', 'withdraw'],
  })
  t.notOk((await shared.read(jonas)).person.identity)
  t.match(await waiting.read(jonas), { state: 'assessment' }, 'an offer is recalled')
  t.match(await offer.read(bolat), { state: 'recalled' })
  t.match(await handled.read(bolat), { state: 'verification', owner: { id: jonas.organisation.id } })

  const paths = ['', '/grants', '/access-log', '/events', '/erasure-plan', '/person/contact', '/tasks', '/referrals']
  for (const path of paths) {
    const at = `/v1/cases/${shared.id}${path}`
    t.equal((await jonas.get(at)).statusCode, 200, `a supervisor: ${path}`)
    t.equal((await marta.get(at)).statusCode, 404, `a caseworker: ${path}`)
    t.equal((await asel.get(at)).statusCode, 404, `the former owner: ${path}`)
  }
  for (const zone of ['identity', 'whereabouts', 'protection'])
    t.equal((await jonas.get(`/v1/cases/${shared.id}/person/${zone}`)).statusCode, 404, zone)
  t.same((await marta.get('/v1/cases')).json().items, [])
  t.same((await marta.get('/v1/grants')).json().items, [])
  t.same((await marta.get('/v1/tasks')).json().items, [])
  t.equal((await marta.get(`/v1/grants/${grant.id}`)).statusCode, 404)
  t.equal((await marta.post(`/v1/grants/${grant.id}/revocation`, {}, ifMatch(1))).statusCode, 404)
  t.same((await jonas.post('/v1/cases/search', { names: ['Әбдіғали'] })).json().items, [], 'nor found by a name')

  const tasks = (await jonas.get('/v1/tasks')).json().items
  const [{ until }] = (await superuser`select (app.today() + 90)::text as until`) as unknown as [{ until: string }]
  t.same(
    new Set(tasks.map(({ kind, caseId, dueOn }: Record<string, string>) => `${kind} ${caseId} ${dueOn}`)),
    new Set([shared, waiting, handled].map(({ id }) => `ask_person ${id} ${until}`)),
    'a task for each person, and none of the former owner',
  )
  const log = (await jonas.get(`/v1/cases/${shared.id}/access-log`)).json().items
  t.match(
    log.find(
      ({ operation, organisation }: { operation: string; organisation: { id: string } }) =>
        operation === 'getCase' && organisation.id === jonas.organisation.id,
    ),
    { zones: ['contact'], grants: [{ basis: 'custody' }] },
  )
  t.match((await jonas.get(`/v1/cases/${shared.id}/events`)).json().items.at(-1), {
    action: 'entrust',
    organisation: { id: jonas.organisation.id },
    accountId: null,
  })

  t.equal((await sharing(jonas, shared.id, zarina)).statusCode, 409, 'nothing is shared')
  t.not(
    (await jonas.put(`/v1/cases/${shared.id}/person/contact`, { phones: ['+77020000000'] }, ifMatch(1))).statusCode,
    200,
    'nothing is written in the name of the person',
  )
  t.equal((await zarina.get(`/v1/cases/${shared.id}`)).statusCode, 200, 'what was agreed goes on')
  t.match((await jonas.post(`/v1/grants/${grant.id}/revocation`, {}, ifMatch(1))).json(), { state: 'closed' })
  t.equal((await zarina.get(`/v1/cases/${shared.id}`)).statusCode, 404, 'and is revoked by the custodian')

  t.match((await set(asel, { status: 'closed' })).json(), { status: 'closed' }, 'nothing is left')
  t.same(await findings(service.endpoint('owner')), [])
})

t.test('the person agrees: the custodian, or who the person names, has the whole file', async t => {
  const service = await begin(t)
  const { asel, zarina, marta, jonas, close } = service
  const born = (year: number) => ({
    person: { ...person, identity: { ...person.identity, birth: { precision: 'year', year } } },
  })
  const [kept, given, gone] = [
    await register(asel, { person }),
    await register(asel, { person }),
    await register(asel, { person }),
  ]
  const mother = { kind: 'parent', name: 'Мәдина' }
  const child = await register(asel, { ...born(2020), basis: { ...consent, representative: mother } })
  t.equal(await close(), 4)

  t.equal((await kept.step(jonas, { action: 'renew_basis', basis: consent })).statusCode, 200)
  t.match(await kept.read(marta), { withheld: ['protection'], basis: { kind: 'consent' }, person: { identity: {} } })
  t.match((await kept.read(jonas)).allowedActions, ['amend'])

  const typed = {
    notes: { audience: 'case', text: 'x' },
    tasks: { title: 'x' },
    flags: { kind: 'urgent', reason: 'x' },
  }
  for (const [path, body] of Object.entries(typed))
    t.ok((await jonas.post(`/v1/cases/${given.id}/${path}`, body, idempotencyKey())).statusCode >= 400, `no ${path}`)
  const offer = await offered(given, jonas, zarina.organisation, { ...toCommonHome(zarina), grant: undefined })
  t.equal((await marta.get(`/v1/referrals/${offer.id}`)).statusCode, 404, 'a caseworker learns nothing of the offer')
  t.same((await marta.get('/v1/referrals?box=outgoing')).json().items, [])
  t.equal((await offer.decideOn(marta, 1, { decision: 'recall' })).statusCode, 404)
  t.match(await offer.read(jonas), { state: 'offered' })
  t.equal((await offer.decide(zarina, 'accept')).statusCode, 200)
  t.match(await given.read(zarina), { owner: { id: zarina.organisation.id }, person: { identity: {} } })
  t.match(await given.read(jonas), { status: 404 })
  t.equal((await marta.get(`/v1/referrals/${offer.id}`)).statusCode, 404, 'nor when it was accepted')

  t.equal((await gone.step(jonas, { action: 'withdraw' })).statusCode, 200)

  const alone = await child.step(jonas, { action: 'renew_basis', basis: consent })
  t.match(alone.json(), { status: 400, errors: [{ pointer: '#/basis/representative' }] })
  const together = await child.step(jonas, { action: 'renew_basis', basis: { ...consent, representative: mother } })
  t.equal(together.statusCode, 200)

  t.same(
    (await jonas.get('/v1/tasks?done=false')).json().items.map(({ caseId }: { caseId: string }) => caseId),
    [gone.id],
    'who has answered is not asked again',
  )
  t.same(await findings(service.endpoint('owner')), [])
})

t.test('a custody ends after its term: then the case is closed to all accounts of the custodian', async t => {
  const service = await begin(t)
  const { asel, jonas, close, travel, superuser } = service
  const { id } = await register(asel, { person })
  await close()
  const open = () => jonas.get(`/v1/cases/${id}`)
  await travel(91 + 90)
  t.equal((await open()).statusCode, 200, 'the last day')
  await travel(91 + 91)
  t.equal((await open()).statusCode, 404)
  t.equal((await following(id).step(jonas, { action: 'renew_basis', basis: consent })).statusCode, 404)
  t.same((await jonas.get('/v1/cases')).json().items, [])
  const due =
    await superuser`select holder_id from due_parts where case_id = ${id} and holder_id = ${jonas.organisation.id}`
  t.equal(due.length, 1, 'its retention ends on a known day')
  t.same(await findings(service.endpoint('owner')), [])
})

t.test('the role app without a session does with a case what the clock does, and nothing else', async t => {
  const { asel, jonas, db, close, superuser } = await begin(t)
  const own = await register(jonas, { person })
  const insert = (id: string, action: string, facts: object = {}) =>
    db.transact(enterNobody, tx =>
      tx.execute(sql`
        insert into case_events (case_id, action, facts) values (${id}, ${action}, ${JSON.stringify(facts)}::jsonb)`),
    )
  const custody = { owner: jonas.organisation.id, basis: { kind: 'custody' } }
  const { id } = await register(asel, { person })
  await t.rejects(insert(id, 'entrust', custody), 'the owner is active')
  await close()
  await t.rejects(insert(id, 'entrust', custody), 'it is in custody already')
  for (const [of, action, facts] of [
    [own.id, 'entrust', custody],
    [own.id, 'withdraw', {}],
    [own.id, 'amend', { category: 'no_document' }],
    [own.id, 'recall', {}],
    [id, 'withdraw', {}],
    [id, 'renew_basis', { basis: consent }],
  ] as const)
    await t.rejects(insert(of, action, facts), action)
  t.equal((await superuser`select from case_events where account_id is null`).length, 1)
})
