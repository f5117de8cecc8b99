import t from 'tap'
import { findings } from '../../../src/oversight/audit/holds.ts'
import { approving, asking, because, erased, people, person, untilDone } from '../../support/erasing.ts'
import { consent, register } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, type Someone, startService } from '../../support/service.ts'

const randomId = () => crypto.randomUUID()

/** Registers a case with rows in every table, and withdraws it. */
async function withdrawn(owner: Someone, to: Someone, more: object = {}) {
  const [one, sister] = [
    await register(owner, { person, externalId: `form-${randomId()}`, ...more }),
    await register(owner),
  ]
  const at = `/v1/cases/${one.id}`
  await owner.put(`${at}/person/contact`, { phones: ['+77010000002'] }, ifMatch(1))
  for (const [path, body] of [
    ['notes', { text: 'Comes back on Monday' }],
    ['notes', { text: 'Speaks Karakalpak', audience: 'case' }],
    ['tasks', { title: 'Ask the archive' }],
    ['flags', { kind: 'risk_of_harm', reason: 'Her brother' }],
    ['relations', { kind: 'sibling', caseId: sister.id }],
    [
      'grants',
      {
        to: to.organisation.id,
        purpose: 'legal_aid',
        zones: ['identity'],
        validUntil: '2031-11-23',
        basis: { ...consent, method: 'oral_with_witness', witness: 'Гүлнара' },
      },
    ],
  ] as const) {
    const made = await owner.post(`${at}/${path}`, body, idempotencyKey())
    if (made.statusCode !== 201) throw new Error(made.body)
  }
  await one.step(owner, { action: 'start_assessment', occurredOn: '2021-03-08' })
  const left = await one.step(owner, { action: 'withdraw', note: 'She goes home' })
  if (left.statusCode !== 200) throw new Error(left.body)
  return { ...one, at, sister: sister.id }
}

t.test('two persons erase a file, and what stays contains nothing about the person', async t => {
  const service = await startService(t)
  const { owner: sql, ledger, keys } = service
  const { asel, dina, pavel, zarina } = await people(service)
  const { id, at, read, sister } = await withdrawn(asel, zarina)
  const number = (await read(asel)).number
  const noteOfAll = (await asel.get(`${at}/notes`)).json().items[0].id

  const plan = (await asel.get(`${at}/erasure-plan`)).json()
  t.match(plan, {
    withFile: true,
    kept: null,
    goes: {
      zones: ['identity', 'contact', 'whereabouts', 'protection'],
      relations: 1,
      grants: 0,
      notes: 2,
      tasks: 1,
      flags: 1,
      documents: 0,
    },
  })
  t.ok(plan.goes.identifiers >= 2)
  t.same(
    plan.stays.map(({ what }: { what: string }) => what),
    ['held_by_others', 'tombstone', 'events', 'audit_entries', 'figures'],
  )
  t.ok(
    plan.stays.every(({ law }: { law: string }) => law),
    'each names its law',
  )

  const asked = await asking(asel, id)
  t.equal(asked.statusCode, 201)
  t.match(asked.json(), {
    state: 'requested',
    reason: because.reason,
    requestedBy: asel.account,
    allowedDecisions: ['reject'],
  })
  const erasure = asked.json().id
  t.match((await asking(dina, id)).json(), { type: '/problems/erasure-pending', status: 409 })
  t.equal((await approving(asel, erasure)).statusCode, 403, 'a caseworker cannot approve')
  t.equal((await approving(dina, erasure, 2)).statusCode, 412)
  t.match((await read(asel)).person.identity.sex, 'male', 'nothing is erased yet')
  const approved = await approving(dina, erasure)
  t.match(approved.json(), { state: 'approved', settledBy: dina.account, withFile: true })
  t.match(await untilDone(pavel, erasure), { state: 'done', reason: null, epoch: 1, allowedDecisions: [] })
  t.match((await approving(pavel, erasure, 3)).json(), { type: '/problems/erasure-settled' })

  t.match(await read(asel), { number, state: 'withdrawn', person: {}, allowedActions: [] })
  t.same((await read(asel)).person, {})
  t.ok((await read(asel)).erasedAt)
  t.match((await asel.get(`${at}/person/contact`)).json(), { version: 2, content: null })
  t.same(
    (await asel.get(`${at}/person/contact/versions`)).json().items.map(({ content }: { content: null }) => content),
    [null, null],
  )
  t.match((await asel.get(`/v1/notes/${noteOfAll}`)).json(), { text: null, struck: false })
  t.match((await asel.get(`${at}/tasks`)).json().items, [{ title: null, allowedActions: [] }])
  t.same((await asel.get(`${at}/flags`)).json().items, [])
  t.same((await asel.get(`/v1/cases/${sister}/relations`)).json().items, [])
  t.match((await asel.get(`${at}/grants`)).json().items.at(-1), { particulars: null })
  t.ok((await asel.get(`${at}/events`)).json().items.every(({ text }: { text: null }) => text === null))
  t.equal((await zarina.get(at)).statusCode, 404)
  const search = async (body: object) =>
    (await asel.post('/v1/cases/search', body)).json().items.map((found: { id: string }) => found.id)
  t.same(await search({ number }), [id], 'a search finds the erased case by its number')
  t.notOk((await search({ names: ['Әбдіғали'] })).includes(id), 'a search does not find it by a name')

  const [row] = await sql`
    select (select count(*)::int from data_keys where case_id = c.id) as keys, (select count(*)::int from identifiers where case_id = c.id) as found,
      external_hmac, (select facts from case_events where case_id = c.id and from_state = '') as facts,
      (select array_agg(distinct coalesce(sex, 'none') || coalesce(birth_year, 0)) from zone_versions where case_id = c.id) as counted
    from cases c where id = ${id}`
  t.match(row, { keys: 0, found: 0, external_hmac: null, counted: ['none0'] })
  t.notOk('externalHmac' in (row?.facts ?? {}))
  t.match(ledger.read(), [{ id: erasure, case_id: id, holder_id: asel.organisation.id, file: true }])
  const entries =
    await sql`select convert_from(content, 'UTF8')::jsonb as e from entries where operation = 'service.erase'`
  t.match(entries[0]?.e, { cases: [id], target: erasure, basis: 'consent_withdrawn' })
  t.equal(entries.length, 1)
  t.same(await findings(service.endpoint('owner')), [])
  t.ok(keys)

  for (const [method, path, body, status] of [
    ['put', 'person/contact', { phones: ['+77010000003'] }, 409],
    ['post', 'notes', { text: 'x' }, 409],
    ['post', 'tasks', { title: 'x' }, 409],
    ['post', 'flags', { kind: 'urgent', reason: 'x' }, 409],
    ['post', 'relations', { kind: 'sibling', caseId: sister }, 409],
    ['post', 'erasures', because, 409],
  ] as const)
    t.equal(
      (await asel[method](`${at}/${path}`, body, { ...idempotencyKey(), ...ifMatch(2) })).statusCode,
      status,
      path,
    )
  const related = await asel.post(`/v1/cases/${sister}/relations`, { kind: 'sibling', caseId: id }, idempotencyKey())
  t.match(related.json(), { status: 400, errors: [{ pointer: '#/caseId' }] })
  t.equal((await dina.patch(at, { assigneeId: asel.account }, ifMatch((await read(asel)).version))).statusCode, 409)
})

t.test('the account that asks for an erasure cannot approve it, and can withdraw it', async t => {
  const service = await startService(t)
  const { asel, dina, pavel, zarina, kamila } = await people(service)
  const { id, read } = await withdrawn(asel, zarina)
  const first = (await asking(dina, id)).json()
  t.same(first.allowedDecisions, ['reject'])
  t.match((await approving(dina, first.id)).json(), { type: '/problems/same-person', status: 403 })
  const reject = (who: Someone, erasure: string) => who.post(`/v1/erasures/${erasure}/rejection`, undefined, ifMatch(1))
  t.equal((await reject(asel, first.id)).statusCode, 403, 'a colleague who is not a supervisor')
  t.match((await reject(dina, first.id)).json(), { state: 'rejected', settledBy: dina.account })
  t.match((await approving(pavel, first.id, 2)).json(), { type: '/problems/erasure-settled' })
  const second = (await asking(asel, id)).json()
  t.match((await reject(pavel, second.id)).json(), { state: 'rejected' })
  t.match((await read(asel)).person, { contact: { phones: ['+77010000002'] } })
  for (const who of [zarina, kamila]) {
    t.equal((await who.get(`/v1/erasures/${first.id}`)).statusCode, 404, 'other organisations cannot see it')
    t.equal((await reject(who, first.id)).statusCode, 404)
    t.same((await who.get('/v1/erasures')).json().items, [])
  }
  t.equal((await approving(kamila, first.id, 2)).statusCode, 404)
  t.match((await asel.get('/v1/erasures?state=rejected')).json().items, [{ id: second.id }, { id: first.id }])
})

t.test('an erasure leaves the totals unchanged, and sex and age of the person become unknown', async t => {
  const service = await startService(t)
  const { asel, dina } = await people(service)
  const head = await service.as('supervisor', 'committee')
  const campaignId = (await head.post('/v1/campaigns', { name: 'One', startsOn: '2020-01-01' })).json().id
  const [one] = [await register(asel, { campaignId }), await register(asel, { campaignId })]
  const counted = async (groupBy: string) => {
    const report = (await asel.get(`/v1/reports/campaign-progress?campaignId=${campaignId}&groupBy=${groupBy}`)).json()
    const groups = report.groups.map(({ key, registered }: { key: string; registered: number }) => [key, registered])
    return { all: report.totals.registered, ...Object.fromEntries(groups) }
  }
  t.match(await counted('sex'), { all: 2, male: 2 })
  await one.step(asel, { action: 'withdraw' })
  await erased(asel, dina, one.id)
  t.same(await counted('sex'), { all: 2, male: 1, unknown: 1 })
  t.match(await counted('ageGroup'), { all: 2, unknown: 1 })
  t.match(await counted('region'), { all: 2, 'KZ-75': 2 })
  const differing = await service.superuser`(table case_figures except select * from figures_on_record)
    union all (select * from figures_on_record except table case_figures)`
  t.equal(differing.length, 0, 'the stored figures equal those on record')
})

t.test('append-only rows lose only what an erasure removes', async t => {
  const service = await startService(t)
  const { asel, dina } = await people(service)
  const { superuser: sql } = service
  const [live, gone] = [await register(asel, { externalId: 'A-1' }), await register(asel, { externalId: 'A-2' })]
  await gone.step(asel, { action: 'withdraw' })
  await erased(asel, dina, gone.id)
  for (const id of [live.id, gone.id])
    for (const statement of [
      `update case_events set facts = facts - 'region' where case_id = '${id}'`,
      `update case_events set facts = facts - 'externalHmac', occurred_on = '2020-01-01' where case_id = '${id}'`,
      `update case_events set to_state = 'closed' where case_id = '${id}'`,
      `delete from case_events where case_id = '${id}'`,
      `update zone_versions set sex = 'female' where case_id = '${id}'`,
      `update zone_versions set written_at = now(), sex = null, birth_year = null where case_id = '${id}'`,
      `delete from zone_versions where case_id = '${id}'`,
    ])
      await t.rejects(sql.unsafe(statement), { message: 'forbidden' }, statement.replace(id, '…'))
  const counted = `update zone_versions set sex = null, birth_year = null where case_id = '${live.id}'`
  await t.rejects(sql.unsafe(counted), { message: 'forbidden' }, 'not for a file that is not erased')
})
