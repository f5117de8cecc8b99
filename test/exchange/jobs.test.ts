import t from 'tap'
import { ImportWorker } from '../../src/exchange/imports/worker.ts'
import { file, imported, row } from '../support/imports.ts'
import { startService } from '../support/service.ts'

const csv = { 'content-type': 'text/csv' }
const rows = (count: number, more = {}) =>
  file(Array.from({ length: count }, (_, n) => row({ externalId: `R${n}`, ...more })))

t.test('only the account that started a job sees it', async t => {
  const service = await startService(t)
  const [aliya, colleague, nurlan, bolat] = [
    await service.as('officer', 'committee'),
    await service.as('supervisor', 'committee'),
    await service.as('officer', 'turkistan'),
    await service.as('officer', 'almaty-city'),
  ]
  const first = await imported(service, aliya, rows(3), '?dryRun=true')
  const second = await imported(service, aliya, rows(3))
  const theirs = await imported(service, nurlan, rows(2))
  const page = (await aliya.get('/v1/jobs?limit=1')).json()
  t.match(page.items, [{ id: second.id, state: 'done', done: 3, total: 3, dryRun: false }])
  t.notOk('rejected' in page.items[0], 'a list contains no faults')
  const next = (await aliya.get(`/v1/jobs?limit=1&cursor=${page.nextCursor}`)).json()
  t.match(next, { items: [{ id: first.id, dryRun: true }], nextCursor: null })
  t.same((await aliya.get('/v1/jobs?state=failed&state=running')).json().items, [])
  t.match((await nurlan.get('/v1/jobs')).json().items, [{ id: theirs.id }])
  for (const stranger of [colleague, nurlan, bolat]) {
    t.equal((await stranger.get(`/v1/jobs/${second.id}`)).statusCode, 404)
    t.equal((await stranger.get(`/v1/jobs/${second.id}/rejected`)).statusCode, 404)
    t.equal((await stranger.post(`/v1/jobs/${second.id}/cancellation`)).statusCode, 404)
  }
  t.equal((await (await service.as('caseworker', 'sunrise')).get('/v1/jobs')).statusCode, 403)
})

t.test('all faults are returned as CSV, however many there are', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'turkistan')
  const job = await imported(service, officer, `\ufeff${rows(2_100, { category: '=cmd' })}`)
  t.match(job, { state: 'done', rejectedRows: 2_100, registered: 0 })
  t.equal(job.rejected.length, 200)
  const response = await officer.get(`/v1/jobs/${job.id}/rejected`)
  t.equal(response.headers['content-type'], 'text/csv; charset=utf-8')
  const lines = response.body.trimEnd().split('\n')
  t.same(
    [lines.length, ...lines.slice(0, 2), lines.at(-1)],
    [
      2_101,
      'line,field,reason',
      '2,category,"Expected a code of lower-case letters, digits and _, for example ussr_passport_1974"',
      '2101,category,"Expected a code of lower-case letters, digits and _, for example ussr_passport_1974"',
    ],
  )
  t.equal(new Set(lines).size, 2_101)
})

t.test('a cancelled job stops after the current batch, and its file is deleted', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'committee')
  const worker = new ImportWorker(service.db, service.keys, service.app.log)
  const { id } = (await officer.post('/v1/imports', rows(6_000), csv)).json()
  const read = async () => (await officer.get(`/v1/jobs/${id}`)).json()
  for (let job = await read(); job.done < 1_000; ) job = await read()
  t.match((await read()).rate, Number, 'the job reports its rate')
  const cancelled = await officer.post(`/v1/jobs/${id}/cancellation`)
  t.match(cancelled.json(), { id, state: 'cancelled', endedAt: String, total: 6_000 })
  await service.app.close()
  worker.wake()
  await worker.close()
  const [job] = await service.superuser`select j.state, i.records, (select count(*)::int from cases) as cases,
    (select count(*)::int from import_chunks) as chunks from jobs j join imports i on i.job_id = j.id`
  t.match(job, { state: 'cancelled', chunks: 0, records: cancelled.json().done, cases: cancelled.json().done })
  t.ok(job?.records < 6_000)
})

t.test('a job that has ended cannot be cancelled, and cancelling twice is allowed', async t => {
  const service = await startService(t)
  const officer = await service.as('officer', 'committee')
  const { id } = await imported(service, officer, rows(1))
  const cancel = async () => (await officer.post(`/v1/jobs/${id}/cancellation`)).json()
  t.match(await cancel(), { status: 409, type: '/problems/job-over' })
  await service.superuser`update jobs set state = 'queued'`
  t.match([await cancel(), await cancel()], [{ state: 'cancelled' }, { state: 'cancelled' }])
})
