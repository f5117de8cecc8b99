import { z } from 'zod'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { among } from '../../platform/db/filter.ts'
import { olderThan, pageOf } from '../../platform/db/page.ts'
import { Id } from '../../platform/http/contract.ts'
import { notFound, Problem } from '../../problem.ts'
import { type Job, type JobPage, type JobQuery, JobSummary, Rejected } from './contract.ts'

const columns = sql`j.id, j.kind, j.state, j.failure, app.rfc3339(j.created_at) as "createdAt", app.rfc3339(j.ended_at) as "endedAt",
  i.dry_run as "dryRun", i.records as done, i.total, i.registered + i.existing as accepted, i.registered, i.existing,
  i.rejected_rows as "rejectedRows", (i.records / nullif(t.seconds, 0))::int as rate,
  case when j.state = 'running' and i.records > 0
    then app.rfc3339(app.now() + make_interval(secs => (i.total - i.records) * t.seconds / i.records)) end as "estimatedEnd"`
const jobs = sql`jobs j join imports i on i.job_id = j.id, lateral (
  select extract(epoch from coalesce(j.ended_at, app.now()) - j.started_at)::float as seconds) t`

/** Returns a page of the caller's own jobs, newest first. */
export async function list(tx: Tx, { state, cursor, limit }: JobQuery): Promise<JobPage> {
  const rows = await tx.rows(
    JobSummary,
    sql`
      select ${columns} from ${jobs}
      where j.id ${olderThan(cursor)} ${among(sql`j.state`, state)}
      order by j.id desc limit ${limit + 1}`,
  )
  return pageOf(rows, { limit })
}

export async function find(tx: Tx, id: string): Promise<Job> {
  const [[job], rejected] = await Promise.all([
    tx.rows(JobSummary, sql`select ${columns} from ${jobs} where j.id = ${id}`),
    faults(tx, id, { line: 0, field: '' }, 200),
  ])
  if (!job) throw notFound()
  return { ...job, rejected }
}

/** Returns up to `limit` faults after this one, in the order of the file. */
export const faults = (
  tx: Tx,
  id: string,
  after: Pick<Rejected, 'line' | 'field'>,
  limit: number,
): Promise<Rejected[]> =>
  tx.rows(
    Rejected,
    sql`
      select line, field, reason from import_faults
      where job_id = ${id} and (line, field) > (${after.line}, ${after.field}) order by line, field limit ${limit}`,
  )

/** Cancels a job: the current batch is its last one. */
export async function cancel(tx: Tx, id: string): Promise<Job> {
  await end(tx, id, 'cancelled')
  const job = await find(tx, id)
  if (job.state !== 'cancelled') throw new Problem('job-over')
  return job
}

/** Ends a job and deletes its stored file. Does nothing if the job has ended already. */
export async function end(tx: Tx, id: string, state: 'done' | 'cancelled'): Promise<undefined> {
  const ended = await tx.execute(sql`
    update jobs set state = ${state}, ended_at = app.now() where id = ${id} and state in ('queued', 'running') returning id`)
  if (ended.length) await tx.execute(sql`select app.discard_import(${id})`)
}

const LeasedRow = z.object({ id: Id.nullable() })

/** Leases the next job without a live lease, for so many seconds. Returns its id, or undefined if there is none. */
export async function lease(tx: Tx, seconds: number): Promise<string | undefined> {
  const [row] = await tx.rows(LeasedRow, sql`select app.lease_job(make_interval(secs => ${seconds})) as id`)
  return row?.id ?? undefined
}

/** Extends the lease of a job to so many seconds from now. Throws `job-over` if it has ended. */
export async function holdOn(tx: Tx, id: string, seconds: number): Promise<void> {
  const held = await tx.execute(sql`
    update jobs set leased_until = clock_timestamp() + make_interval(secs => ${seconds})
    where id = ${id} and state = 'running' returning id`)
  if (!held.length) throw new Problem('job-over')
}

/** Ends a job as failed, because its account lost the right to run it. */
export async function abandon(tx: Tx, id: string, failure: string): Promise<void> {
  await tx.execute(sql`select app.abandon_job(${id}, ${failure})`)
}
