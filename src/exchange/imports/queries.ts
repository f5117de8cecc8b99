import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import type { Keys } from '../../platform/access/keys.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { notFound, Problem } from '../../problem.ts'
import type { Taken } from './file.ts'
import type { Fault } from './row.ts'

/**
 * Makes the job of a file before its upload. The job is deleted if the upload takes longer than so many seconds.
 * Returns its id.
 */
export async function create(
  tx: Tx,
  { campaignId, dryRun }: { campaignId: string | undefined; dryRun: boolean },
  seconds: number,
): Promise<string> {
  const id = randomUUIDv7()
  await tx.execute(sql`
    insert into jobs (id, kind, leased_until) values (${id}, 'import', clock_timestamp() + make_interval(secs => ${seconds}))`)
  await tx.execute(
    sql`insert into imports (job_id, campaign_id, dry_run) values (${id}, ${campaignId ?? null}, ${dryRun})`,
  )
  return id
}

const placeOf = (job: string, position: number) => `import_chunks/${job}/${position}`

/** Stores a piece of the file, sealed. */
export const keepChunk = (tx: Tx, keys: Keys, job: string, position: number, content: Buffer) =>
  tx.execute(sql`insert into import_chunks (job_id, position, content)
    values (${job}, ${position}, ${keys.sealFile(placeOf(job, position), content)})`)

const ChunkRow = z.object({ content: z.instanceof(Buffer) })

export async function chunk(tx: Tx, keys: Keys, job: string, position: number): Promise<Buffer> {
  const [row] = await tx.rows(
    ChunkRow,
    sql`select content from import_chunks where job_id = ${job} and position = ${position}`,
  )
  if (!row) throw notFound()
  return keys.openFile(placeOf(job, position), row.content)
}

/** Queues the job after the upload of the whole file. */
export async function queue(tx: Tx, job: string, { bytes, sha256, total }: Taken): Promise<void> {
  await tx.execute(sql`update imports set bytes = ${bytes}, sha256 = ${sha256}, total = ${total} where job_id = ${job}`)
  await tx.execute(sql`update jobs set state = 'queued', leased_until = null where id = ${job}`)
}

/** Deletes the job and pieces of an incomplete upload; with null those of all uploads whose time has passed. */
export async function forget(tx: Tx, job: string | null): Promise<void> {
  await tx.execute(sql`select app.forget_imports(${job})`)
}

const GrownRow = z.object({ more: z.boolean() })

/** Brings the statistics of the planner up to what an import has written. */
export async function analyze(tx: Tx): Promise<boolean> {
  const [row] = await tx.rows(GrownRow, sql`select app.analyze_grown() as more`)
  return row?.more ?? false
}

const WaitingRow = z.object({ records: z.int(), chunks: z.int() })
export type Waiting = z.output<typeof WaitingRow>

export async function waiting(tx: Tx, job: string): Promise<Waiting> {
  const [row] = await tx.rows(
    WaitingRow,
    sql`
      select records, (select count(*)::int from import_chunks c where c.job_id = i.job_id) as chunks
      from imports i where job_id = ${job}`,
  )
  if (!row) throw notFound()
  return row
}

/** The result of a batch: `records` rows of the file, starting at `from`. */
export type Progress = {
  from: number
  records: number
  registered: number
  existing: number
  cases: string[]
  faults: Fault[]
}

/**
 * Records the progress in the transaction that wrote the batch, so that the next worker continues after it. If two
 * workers wrote the same batch, throws `job-over` for one of them.
 */
export async function advance(
  tx: Tx,
  job: string,
  { from, records, registered, existing, faults }: Progress,
): Promise<void> {
  const rejected = new Set(faults.map(({ line }) => line)).size
  const [advanced] = await Promise.all([
    tx.execute(sql`
      update imports set records = records + ${records}, registered = registered + ${registered},
        existing = existing + ${existing}, rejected_rows = rejected_rows + ${rejected}
      where job_id = ${job} and records = ${from} returning job_id`),
    faults.length &&
      tx.execute(sql`
        insert into import_faults (job_id, line, field, reason) select ${job}::uuid, line, field, reason
        from jsonb_to_recordset(${JSON.stringify(faults)}::jsonb) as f(line int, field text, reason text) on conflict do nothing`),
  ])
  if (!advanced.length) throw new Problem('job-over')
}
