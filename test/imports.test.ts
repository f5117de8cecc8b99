import t from 'tap'
import { campaign, registrations } from '../src/demo/campaign.ts'
import { columns } from '../src/imports/row.ts'
import { ImportWorker } from '../src/imports/worker.ts'
import { file, imported, row } from './support/imports.ts'
import { startService } from './support/service.ts'

t.test('a campaign goes in, and the report says how many were registered and documented', async t => {
  const service = await startService(t)
  const [head, officer, division] = [
    await service.as('supervisor', 'committee'),
    await service.as('officer', 'committee'),
    await service.as('officer', 'turkistan'),
  ]
  const { id } = (await head.post('/v1/campaigns', campaign)).json()
  const text = file([...registrations({ seed: 7, size: 200 })])
  const first = await imported(service, officer, text, `?campaignId=${id}`)
  t.match(first, { state: 'done', done: 200, total: 200, registered: 200, existing: 0, rejectedRows: 0 })
  t.match(
    await imported(service, officer, text, `?campaignId=${id}`),
    { registered: 0, existing: 200 },
    'the same file twice creates nothing twice',
  )
  const report = async (asOf: string, somebody = officer) =>
    (await somebody.get(`/v1/reports/campaign-progress?campaignId=${id}&asOf=${asOf}&groupBy=region`)).json()
  const now = await report('2022-02-15')
  t.match(now, { totals: { registered: 200, documented: 166, documentedShare: 83 }, scope: 'mine', map: 'recorded' })
  const sum = (of: 'registered' | 'documented') =>
    now.groups.reduce((total: number, group: Record<string, number>) => total + (group[of] ?? 0), 0)
  t.same([sum('registered'), sum('documented')], [200, 166], 'groups add up')
  t.match((await report('2020-09-30')).totals, { registered: 0, documented: 0, documentedShare: null })
  const own = [...registrations({ seed: 7, size: 200 })].filter(({ division }) => division === 'turkistan').length
  t.equal((await report('2022-02-15', division)).totals.registered, own, 'a division counts what is open to it')
  t.same(
    [...(await service.owner`select count(*)::int as chunks from import_chunks`)],
    [{ chunks: 0 }],
    'the waiting file is gone',
  )
})

t.test('a bad row is told by line, field and reason, never the value, and stops nothing else', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'committee')
  const document = {
    outcome: 'kz_citizenship_confirmed',
    decidedOn: '2021-04-01',
    documentType: 'citizen_identity_card',
    documentIssuedOn: '2021-05-01',
  }
  const job = await imported(
    service,
    officer,
    `\ufeff${file(
      [
        row({
          externalId: 'good',
          familyName: 'Оʻлжабоев, "Ботир"\nўғли',
          birthDate: '1961-05',
          ...document,
          documentNumber: 'N1',
        }),
        row({ externalId: 'region', regionCode: 'KZ-10' }),
        row({ externalId: 'category', category: 'canary_code' }),
        row({ externalId: 'division', division: 'sunrise' }),
        row({ externalId: 'birth', birthDate: '1961-02-30' }),
        row({ externalId: 'order', ...document, documentNumber: 'N2', decidedOn: '2021-01-01' }),
        row({ externalId: 'good' }),
        row({ externalId: 'number', ...document, documentNumber: 'n-1' }),
        row({ externalId: 'sensitive', causes: 'cost;trafficking_or_exploitation' }),
      ],
      '\r\n',
    )}`,
  )
  t.match(job, { state: 'done', done: 9, registered: 1, rejectedRows: 8 })
  t.same(job.rejected.map(({ field }: { field: string }) => field).sort(), [
    'birthDate',
    'category',
    'causes',
    'decidedOn',
    'division',
    'documentNumber',
    'externalId',
    'regionCode',
  ])
  t.notMatch(JSON.stringify(job), /canary|1961-02-30/)
  t.match((await officer.get('/v1/cases')).json().items, [
    { state: 'documented', outcome: 'kz_citizenship_confirmed', version: 3 },
  ])
})

t.test('a later file tells what has happened since', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'almaty-city')
  await imported(service, officer, file([row({})]))
  const job = await imported(service, officer, file([row({ outcome: 'refused', decidedOn: '2021-06-01' })]))
  t.match(job, { registered: 0, existing: 1 })
  const { items } = (await officer.get('/v1/cases')).json()
  t.match(items, [{ state: 'decided', outcome: 'refused' }])
  const events = (await officer.get(`/v1/cases/${items[0].id}/events`)).json().items
  t.match(events, [
    { action: 'import_registered' },
    { action: 'import_decided', occurredOn: '2021-06-01', imported: true },
  ])
})

t.test('a dry run writes nothing, and what is no such file says why', async t => {
  const service = await startService(t)
  const [officer, caseworker] = [await service.as('officer', 'committee'), await service.as('caseworker', 'sunrise')]
  t.match(await imported(service, officer, file([row({}), row({ externalId: '' })]), '?dryRun=true'), {
    registered: 1,
    rejectedRows: 1,
    dryRun: true,
  })
  t.match(await imported(service, officer, 'externalId,colour\n1,red\n'), {
    state: 'failed',
    rejected: [{ field: 'colour', line: 1 }],
  })
  t.match(await imported(service, officer, 'externalId\n1\n'), {
    state: 'failed',
    rejected: [{ field: 'registeredOn', reason: 'This column is missing' }],
  })
  t.match(await imported(service, officer, `${columns.join(',')}\n"unclosed`), {
    state: 'failed',
    rejected: [{ reason: 'Not CSV' }],
  })
  t.same((await officer.get('/v1/cases')).json().items, [])
  t.equal((await caseworker.post('/v1/imports', file([]), { 'content-type': 'text/csv' })).statusCode, 403)
  const unknown = `/v1/imports?campaignId=${crypto.randomUUID()}`
  t.equal((await officer.post(unknown, file([]), { 'content-type': 'text/csv' })).statusCode, 400)
})

t.test('an import that was left half-way is gone on with, and lost rights end it', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'committee')
  const rows = Array.from({ length: 1200 }, (_, i) => row({ externalId: `R${i}` }))
  const { id } = (await officer.post('/v1/imports', file(rows), { 'content-type': 'text/csv' })).json()
  await service.owner`update jobs set state = 'running', leased_until = now() - interval '1 second' where id = ${id}`
  const left = new ImportWorker(service.db, service.keys, service.app.log)
  left.wake()
  await left.close() // ends after the batch at hand
  await service.owner`update jobs set leased_until = now() - interval '1 second' where id = ${id}`
  const next = new ImportWorker(service.db, service.keys, service.app.log)
  next.wake()
  while ((await officer.get(`/v1/jobs/${id}`)).json().state === 'running') next.wake()
  t.match((await officer.get(`/v1/jobs/${id}`)).json(), { state: 'done', done: 1200, registered: 1200, existing: 0 })

  const second = (
    await officer.post('/v1/imports', file([row({ externalId: 'X' })]), { 'content-type': 'text/csv' })
  ).json()
  await service.owner`update jobs set state = 'running', leased_until = now() - interval '1 second' where id = ${second.id}`
  await service.owner`update accounts set status = 'disabled' where id = ${officer.account}`
  next.wake()
  const ended = () => service.owner`select state, failure from jobs where id = ${second.id} and state <> 'running'`
  while (!(await ended()).length) await new Promise(setImmediate)
  await next.close()
  t.match([...(await ended())], [{ state: 'failed', failure: 'unauthorized' }])
})
