import t from 'tap'
import * as imports from '../../src/exchange/imports/queries.ts'
import { columns } from '../../src/exchange/imports/row.ts'
import { ImportWorker } from '../../src/exchange/imports/worker.ts'
import { passingKeys } from '../../src/platform/access/keys.ts'
import { permissions } from '../../src/platform/access/permissions.ts'
import { enterSession } from '../../src/platform/db/admission.ts'
import { campaign, registrations } from '../../src/programs/demo/campaign.ts'
import { file, imported, line, row } from '../support/imports.ts'
import { startService } from '../support/service.ts'

const csv = { 'content-type': 'text/csv' }

t.test('a campaign is imported, and the report counts the registered and documented persons', async t => {
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
    'the same file sent again makes no new case',
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
    'the stored file is deleted',
  )
})

t.test(
  'a faulty row is reported by line, field and reason, never the value, and the other rows are imported',
  async t => {
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
            familyName: 'Оʻлжабоев, "Ботир" ўғли\n',
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
      { state: 'documented', outcome: 'kz_citizenship_confirmed', version: 1 },
    ])
  },
)

t.test('a later file adds what has happened since', async t => {
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

t.test('an interrupted import is continued, and lost rights end an import', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'committee')
  const rows = Array.from({ length: 1200 }, (_, i) => row({ externalId: `R${i}` }))
  const { id } = (await officer.post('/v1/imports', file(rows), { 'content-type': 'text/csv' })).json()
  await service.owner`update jobs set state = 'running', leased_until = now() - interval '1 second' where id = ${id}`
  const left = new ImportWorker(service.db, service.keys, service.app.log)
  left.wake()
  await left.close() // ends after the current batch
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
  const [entry] = await service.superuser`
    select convert_from(content, 'UTF8')::jsonb as content from entries where operation = 'import.abandon'`
  t.match(entry?.content, { target: second.id, reason: 'unauthorized' })
})

t.test('a file that cannot be imported is refused at once with the reason, and nothing of it is stored', async t => {
  const service = await startService(t, { importLimit: 600_000 })
  const officer = await service.as('officer', 'committee')
  const header = columns.join(',')
  const body = (text: string | Buffer, more = {}) =>
    service.app.inject({
      method: 'POST',
      url: '/v1/imports',
      payload: text,
      headers: {
        authorization: `Bearer ${officer.accessToken}`,
        ...csv,
        ...more,
      },
    })
  const refused = { status: 400, type: '/problems/invalid-request' }
  t.match((await body('externalId,colour,colour\n1,red,red\n')).json(), {
    ...refused,
    errors: [
      { pointer: '#/header/colour', detail: 'Not a column of an import file' },
      {},
      { pointer: '#/header/registeredOn', detail: 'This column is missing' },
    ],
  })
  t.match((await body(`${header},sex\n`)).json(), {
    ...refused,
    errors: [{ pointer: '#/header/sex', detail: 'This column appears twice' }],
  })
  t.match((await body('')).json(), {
    ...refused,
    errors: [{ pointer: '#/header/externalId', detail: 'This column is missing' }],
  })
  t.match((await body(`${header}\n${line(row({}))}\n"unclosed`)).json(), {
    ...refused,
    errors: [{ pointer: '#/lines/3', detail: 'Expected CSV' }],
  })
  t.match((await body(`${header}\n${line(row({ familyName: 'x'.repeat(1_000_00) }))}\n`)).json(), {
    ...refused,
    errors: [{ pointer: '#/lines/2', detail: 'Expected rows of at most 64 kB' }],
  })
  t.match((await body(Buffer.from('PK\x03\x04\x9c\xff', 'latin1'))).json(), {
    ...refused,
    errors: [{ pointer: '#', detail: 'Expected text in UTF-8' }],
  })
  t.match((await body(Buffer.from(`\ufeff${header}\n`, 'utf16le'))).json(), {
    ...refused,
    errors: [{ detail: 'Expected text in UTF-8' }],
  })
  t.match(
    (await body(`${header}\n`, { 'content-length': '2000000000' })).json(),
    { status: 413 },
    'refused by its Content-Length',
  )
  const large = file(Array.from({ length: 10_000 }, (_, n) => row({ externalId: `L${n}` })))
  const address = await service.app.listen({ port: 0 })
  const streamed = await fetch(`${address}/v1/imports`, {
    method: 'POST',
    body: new Blob([large]).stream(),
    duplex: 'half',
    headers: { authorization: `Bearer ${officer.accessToken}`, ...csv },
  } as RequestInit)
  t.match(await streamed.json(), { status: 413 }, 'refused when it has become too large')
  for (const table of ['jobs', 'imports', 'import_chunks', 'import_faults'])
    t.same([...(await service.superuser.unsafe(`select count(*)::int from ${table}`))], [{ count: 0 }], table)
})

t.test('each piece of a file is sealed for its place, and an incomplete file is deleted', async t => {
  const service = await startService(t)
  const { db, keys, superuser } = service
  const officer = await service.as('officer', 'committee')
  const as = enterSession(officer.session, permissions['imports:create'])
  const job = await db.transact(as, async tx => {
    const id = await imports.create(tx, { campaignId: undefined, dryRun: false }, -1)
    for (const position of [0, 1]) await imports.keepChunk(tx, keys, id, position, Buffer.from(`Canary ${position}`))
    return id
  })
  const chunks = await superuser`select content from import_chunks`
  t.notMatch(Buffer.concat(chunks.map(({ content }) => content)).toString('latin1'), /Canary/)
  const piece = (position: number, by = keys) => db.transact(as, tx => imports.chunk(tx, by, job, position))
  t.equal(String(await piece(1)), 'Canary 1')
  await t.rejects(piece(1, passingKeys()), 'other keys do not open it')
  await superuser`delete from import_chunks where position = 1`
  await superuser`update import_chunks set position = 1`
  await t.rejects(piece(1), 'a piece does not open in another place')

  const worker = new ImportWorker(db, keys, service.app.log)
  worker.wake()
  await worker.close()
  t.equal((await officer.get(`/v1/jobs/${job}`)).statusCode, 404)
  t.same([...(await superuser`select count(*)::int from import_chunks`)], [{ count: 0 }])
})

t.test('an import brings the statistics of the planner up to what it has written', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'committee')
  const rows = [...registrations({ seed: 5, size: 1_500 })]
  t.match(await imported(service, officer, file(rows)), { state: 'done', registered: 1_500 })
  const analyzed = await service.superuser`
    select relname from pg_class where relname in ('cases', 'case_events', 'grants', 'case_access') and reltuples >= 500`
  t.equal(analyzed.length, 4)
})
