import t from 'tap'
import { columns } from '../../src/exchange/imports/row.ts'
import { ImportWorker } from '../../src/exchange/imports/worker.ts'
import type { Registration } from '../../src/programs/demo/campaign.ts'
import { idempotencyKey, type Service, type Someone } from './service.ts'

export const line = (row: Partial<Registration>) =>
  columns.map(name => `"${(row[name] ?? '').replaceAll('"', '""')}"`).join(',')
export const file = (rows: Partial<Registration>[], separator = '\n') =>
  [columns.join(','), ...rows.map(line), ''].join(separator)
export const row = (more: Partial<Registration>): Partial<Registration> => ({
  externalId: 'A',
  registeredOn: '2021-03-04',
  regionCode: 'KZ-75',
  category: 'no_document',
  familyName: 'Иванов',
  ...more,
})

/** Uploads a file as `officer`, runs the import, and returns the finished job. */
export async function imported({ db, keys, app }: Service, officer: Someone, text: string, query = '') {
  const response = await officer.post(`/v1/imports${query}`, text, { 'content-type': 'text/csv', ...idempotencyKey() })
  t.equal(response.statusCode, 202, response.body)
  const worker = new ImportWorker(db, keys, app.log)
  worker.wake()
  for (;;) {
    const job = (await officer.get(`/v1/jobs/${response.json().id}`)).json()
    if (job.state === 'queued' || job.state === 'running') continue
    await worker.close()
    return job
  }
}
