import t from 'tap'
import { registrations } from '../../src/programs/demo/campaign.ts'
import { file, imported, line, row } from '../support/imports.ts'
import { following, register } from '../support/procedure.ts'
import { startService } from '../support/service.ts'

t.test('a row that contradicts the calendar, the record or the header does not stop the others', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'committee')
  const decided = { outcome: 'kz_citizenship_confirmed', decidedOn: '2021-05-01' }
  await imported(service, officer, file([row({ externalId: 'known' })]))
  const text = file([
    row({ externalId: 'tomorrow', registeredOn: '2999-01-01' }),
    row({ externalId: 'known', registeredOn: '2020-11-01', outcome: 'refused', decidedOn: '2021-01-01' }),
    row({ externalId: 'nul', familyName: 'a\0b' }),
    row({ externalId: 'year 0', registeredOn: '0000-03-05' }),
    row({ externalId: 'late', ...decided, decidedOn: '2999-01-01' }),
    row({ externalId: 'good', ...decided }),
  ])
  const job = await imported(service, officer, `${text}short,2021-03-04\n${line(row({ externalId: 'long' }))},more\n`)
  t.match(job, { state: 'done', done: 8, registered: 1, rejectedRows: 7 })
  t.match(job.rejected, [
    { line: 2, field: 'registeredOn', reason: 'Is in the future' },
    { line: 3, field: 'decidedOn', reason: 'Is before the last event of the case' },
    { line: 4, field: 'familyName' },
    { line: 5, field: 'registeredOn' },
    { line: 6, field: 'decidedOn', reason: 'Is in the future' },
    { line: 8, field: '', reason: 'Not as many fields as the header' },
    { line: 9, field: '', reason: 'Not as many fields as the header' },
  ])
})

t.test('an import does not change a case in progress, nor an outcome on record', async t => {
  const service = await startService(t)
  const [nurlan, kairat] = [await service.as('officer', 'turkistan'), await service.as('supervisor', 'turkistan')]
  const one = await register(nurlan, { externalId: 'in progress' })
  const finding = { outcome: 'kz_citizenship_confirmed', decidedOn: '2021-05-01' }
  await one.step(nurlan, { action: 'start_assessment', occurredOn: '2021-03-08' })
  const job = await imported(
    service,
    nurlan,
    file([
      row({ externalId: 'in progress', outcome: 'refused', decidedOn: '2021-05-01' }),
      row({ externalId: 'found', ...finding }),
      row({
        externalId: 'none',
        ...finding,
        outcome: 'refused',
        documentType: 'citizen_passport',
        documentNumber: 'X',
        documentIssuedOn: '2021-05-02',
      }),
    ]),
  )
  t.match(job, { registered: 1, rejectedRows: 2 })
  t.match(job.rejected, [
    { line: 2, field: 'outcome' },
    { line: 4, field: 'documentType' },
  ])
  const again = await imported(service, nurlan, file([row({ externalId: 'found', ...finding, outcome: 'refused' })]))
  t.match(again.rejected, [{ line: 2, field: 'outcome', reason: 'Another outcome is on record' }])
  const { items } = (await nurlan.get('/v1/cases?state=decided')).json()
  const found = following(items[0].id)
  const { items: events } = (await nurlan.get(`/v1/cases/${found.id}/events`)).json()
  const undone = await found.together(nurlan, kairat, {
    action: 'annul',
    eventId: events[1].id,
    reason: 'The wrong row',
  })
  t.match(undone.json().case, { state: 'registered', outcome: null }, 'two persons annul an imported event')
})

t.test('the rows that an import writes at once equal the fold of its events', async t => {
  const service = await startService(t)
  const { superuser: sql } = service
  const [aliya, nurlan] = [await service.as('officer', 'committee'), await service.as('officer', 'turkistan')]
  const people = [...registrations({ seed: 5, size: 400 })]
  // Some rows are imported in steps, in several files, by the division or the committee; the others at once.
  const early = people.map(row => ({
    ...row,
    outcome: '',
    decidedOn: '',
    documentType: '',
    documentNumber: '',
    documentIssuedOn: '',
    documentExpiresOn: '',
  }))
  await imported(service, aliya, file(early.slice(0, 100)))
  await imported(service, nurlan, file(early.slice(100, 200).filter(({ division }) => division === 'turkistan')))
  t.match(await imported(service, aliya, file(people)), { state: 'done', done: 400, rejectedRows: 0 })
  const rows = () => sql`select to_jsonb(c) - array['version', 'updated_at'] as row from cases c order by id`
  const written = [...(await rows())]
  await sql`select app.fold(array(select id from cases))`
  t.same([...(await rows())], written, 'the rows equal the folds of their events')
  const [counts] = await sql`select (select count(*)::int from cases) as cases,
    (select count(*)::int from grants where recipient_id = owner_id and purpose = 'case_management') as own,
    (select count(*)::int from decisions) as decisions, (select count(*)::int from documents) as documents`
  t.same(counts, {
    ...{ cases: 400, own: 400, decisions: people.filter(({ outcome }) => outcome).length },
    documents: people.filter(({ documentType }) => documentType).length,
  })
  const differing = await sql`
    (select recipient_id, case_id, 'identity' = any (zones), 'contact' = any (zones) from grants)
    except select organisation_id, case_id, identity_until = 'infinity', contact_until = 'infinity' from case_access`
  t.same([...differing], [], 'the access rows equal the grants')
})

t.test('the same file imported twice at the same time makes each case once, and both imports succeed', async t => {
  const service = await startService(t)
  const [aliya, gulnara] = [await service.as('officer', 'committee'), await service.as('supervisor', 'committee')]
  const text = file([...registrations({ seed: 6, size: 600 })])
  const both = await Promise.all([imported(service, aliya, text), imported(service, gulnara, text)])
  t.match(both, [
    { state: 'done', accepted: 600 },
    { state: 'done', accepted: 600 },
  ])
  t.equal(both[0].registered + both[1].registered, 600)
  t.same([...(await service.superuser`select count(*)::int from cases`)], [{ count: 600 }])
})
