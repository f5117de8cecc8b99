import { randomUUIDv7 } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Tx } from '../db/database.ts'
import { notFound } from '../problem.ts'
import type { Job } from './contract.ts'
import type { Fault } from './row.ts'

export async function create(
  tx: Tx,
  { campaignId, dryRun }: { campaignId: string | undefined; dryRun: boolean },
): Promise<string> {
  const id = randomUUIDv7()
  await tx.execute(sql`insert into jobs (id, kind) values (${id}, 'import')`)
  await tx.execute(
    sql`insert into imports (job_id, campaign_id, dry_run) values (${id}, ${campaignId ?? null}, ${dryRun})`,
  )
  return id
}

export const keepChunk = (tx: Tx, job: string, position: number, content: Buffer) =>
  tx.execute(sql`insert into import_chunks (job_id, position, content) values (${job}, ${position}, ${content})`)

/** The whole file is here: it may be worked on. */
export async function queue(tx: Tx, job: string, file: { bytes: number; sha256: Buffer }): Promise<void> {
  await tx.execute(sql`update imports set bytes = ${file.bytes}, sha256 = ${file.sha256} where job_id = ${job}`)
  await tx.execute(sql`update jobs set state = 'queued' where id = ${job}`)
}

export async function lease(tx: Tx, seconds: number): Promise<string | undefined> {
  const [row] = await tx.execute<{ id: string | null }>(
    sql`select app.lease_job(make_interval(secs => ${seconds})) as id`,
  )
  return row?.id ?? undefined
}

export type Waiting = { campaign: string | null; dryRun: boolean; records: number; chunks: number }

export async function waiting(tx: Tx, job: string): Promise<Waiting> {
  const [row] = await tx.execute<Waiting>(sql`
    select campaign_id as campaign, dry_run as "dryRun", records,
      (select count(*)::int from import_chunks c where c.job_id = i.job_id) as chunks from imports i where job_id = ${job}`)
  if (!row) throw notFound()
  return row
}

export async function chunk(tx: Tx, job: string, position: number): Promise<Buffer> {
  const [row] = await tx.execute<{ content: Buffer }>(
    sql`select content from import_chunks where job_id = ${job} and position = ${position}`,
  )
  if (!row) throw notFound()
  return row.content
}

export type Progress = { records: number; registered: number; existing: number; faults: Fault[] }

/** What a batch came to, kept in the transaction that wrote it: whoever goes on, goes on behind it. */
export async function advance(
  tx: Tx,
  job: string,
  { records, registered, existing, faults }: Progress,
  lease: number,
): Promise<void> {
  const rejected = new Set(faults.map(({ line }) => line)).size
  await tx.execute(sql`
    update imports set records = records + ${records}, registered = registered + ${registered},
      existing = existing + ${existing}, rejected_rows = rejected_rows + ${rejected} where job_id = ${job}`)
  await tx.execute(sql`
    insert into import_faults (job_id, line, field, reason) select ${job}::uuid, line, field, reason
    from jsonb_to_recordset(${JSON.stringify(faults)}::jsonb) as f(line int, field text, reason text) on conflict do nothing`)
  await tx.execute(
    sql`update jobs set leased_until = clock_timestamp() + make_interval(secs => ${lease}) where id = ${job}`,
  )
}

/** The job is over, well or not; the waiting file is gone with it. */
export async function end(tx: Tx, job: string, state: 'done' | 'failed', failure: string | null = null): Promise<void> {
  await tx.execute(sql`update jobs set state = ${state}, failure = ${failure}, ended_at = app.now() where id = ${job}`)
  await tx.execute(sql`select app.discard_import(${job})`)
}

/** Ends a job whose account may not go on with it. */
export async function abandon(tx: Tx, job: string, failure: string): Promise<void> {
  await tx.execute(sql`select app.abandon_job(${job}, ${failure})`)
}

export async function find(tx: Tx, id: string): Promise<Job> {
  const [row] = await tx.execute<Job>(sql`
    select j.id, j.kind, j.state, j.failure, app.rfc3339(j.created_at) as "createdAt", app.rfc3339(j.ended_at) as "endedAt",
      i.dry_run as "dryRun", i.records as done, case when j.state = 'done' then i.records end as total,
      i.registered + i.existing as accepted, i.registered, i.existing, i.rejected_rows as "rejectedRows",
      (select coalesce(jsonb_agg(jsonb_build_object('line', f.line, 'field', f.field, 'reason', f.reason) order by f.line, f.field), '[]')
        from (select * from import_faults f where f.job_id = j.id order by line, field limit 200) f) as rejected
    from jobs j join imports i on i.job_id = j.id where j.id = ${id}`)
  if (!row) throw notFound()
  return row
}
