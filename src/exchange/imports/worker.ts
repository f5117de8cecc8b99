import { Readable } from 'node:stream'
import { ownAndDivisions } from '../../people/organisations/queries.ts'
import { idAt } from '../../platform/access/id.ts'
import type { Keys } from '../../platform/access/keys.ts'
import { permissions } from '../../platform/access/permissions.ts'
import { enterJob, enterNobody, withEntry } from '../../platform/db/admission.ts'
import { type Database, ofDriver, type Tx } from '../../platform/db/database.ts'
import { writeEntry } from '../../platform/db/entry.ts'
import { traceOf } from '../../platform/http/problems.ts'
import { Problem } from '../../problem.ts'
import type { ProblemName } from '../../problems.ts'
import * as jobs from '../jobs/queries.ts'
import { Batch, type Owners } from './batch.ts'
import { type Line, rowsOf } from './file.ts'
import * as imports from './queries.ts'

const batchSize = 1_000
/** Seconds without progress after which another worker may take a job. */
const lease = 30
/** Milliseconds between two polls for jobs. */
const pollEvery = 5_000

type Log = { error(fields: object, message: string): void }

/**
 * Runs queued imports, one at a time, until it is closed. Each batch has the rights that the account has at that
 * moment.
 */
export class ImportWorker {
  readonly #db: Database
  readonly #keys: Keys
  readonly #log: Log
  #closed = false
  #woken = false
  #working: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(db: Database, keys: Keys, log: Log) {
    this.#db = db
    this.#keys = keys
    this.#log = log
  }

  /** Looks for jobs now, and then regularly for jobs that another worker left unfinished. */
  start(): void {
    this.#timer = setInterval(() => this.wake(), pollEvery).unref()
    this.wake()
  }

  /** Looks for jobs. If a run is in progress, it looks again after that run. */
  wake(): void {
    this.#woken = true // also during its last look for jobs
    if (this.#closed || this.#working) return
    this.#working = this.#workOff()
      .catch(error => this.#log.error({ trace: traceOf(error) }, 'import worker failed'))
      .finally(() => {
        this.#working = undefined
        if (this.#woken) this.wake()
      })
  }

  /** Stops after the current batch. The next worker continues with the rest. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#working
  }

  async #workOff(): Promise<void> {
    this.#woken = false
    while (!this.#closed) {
      const job = await this.#db.transact(enterNobody, async tx => {
        await imports.forget(tx, null)
        return jobs.lease(tx, lease)
      })
      if (!job) return
      await this.#run(job).catch(error => this.#giveUp(job, error))
    }
  }

  /** Reads the next batch while the database writes the one before it. */
  async #run(id: string): Promise<void> {
    const [{ chunks, records: done }, owners] = await this.#as(id, tx =>
      Promise.all([imports.waiting(tx, id), ownersOf(tx)]),
    )
    let [read, batch, writing] = [0, new Batch(done), Promise.resolve()]
    const write = async () => {
      await writing
      writing = this.#write(id, batch)
      writing.catch(() => {}) // rejects where it is awaited
      batch = new Batch(read)
    }
    for await (const line of this.#lines(id, chunks)) {
      if (++read <= done) continue
      batch.take(line, this.#keys, owners)
      if (batch.records < batchSize) continue
      await write()
      if (this.#closed) return writing
    }
    if (batch.records) await write()
    await writing
    await this.#audited('import.end', id, tx => jobs.end(tx, id, 'done'))
  }

  async #write(id: string, batch: Batch): Promise<void> {
    while (await this.#db.transact(enterNobody, imports.analyze));
    const once = () =>
      this.#audited('import.batch', id, async tx => {
        await jobs.holdOn(tx, id, lease)
        const progress = await batch.write(tx, id)
        await imports.advance(tx, id, progress)
        return progress
      })
    // If another transaction was writing the same registration or document, the second attempt finds it stored.
    await once().catch(error => (isTaken(error) ? once() : Promise.reject(error)))
  }

  #lines(id: string, chunks: number): AsyncIterable<Line> {
    const piece = (position: number) => this.#as(id, tx => imports.chunk(tx, this.#keys, id, position))
    async function* file() {
      for (let position = 0; position < chunks; position++) yield await piece(position)
    }
    const rows = rowsOf()
    const source = Readable.from(file())
    source.on('error', error => rows.destroy(error))
    return source.pipe(rows)
  }

  /** Runs `work` with an audit entry, as for a request of the account. */
  async #audited(
    operation: string,
    job: string,
    work: (tx: Tx) => Promise<{ cases: string[] } | undefined>,
  ): Promise<void> {
    await this.#db.transact(withEntry(idAt(this.#db.clock.now()), entered(job)), work, done =>
      writeEntry(operation, { target: job, cases: done?.cases ?? [], zones: [] }),
    )
  }

  #as<T>(job: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#db.transact(entered(job), work)
  }

  /**
   * Ends the job if its account lost the rights. Leaves it if it has ended or another worker has it. Throws any other
   * error; the job can be leased again.
   */
  async #giveUp(job: string, error: Error): Promise<void> {
    if (!(error instanceof Problem) || error.details.status >= 500) throw error
    const { message: reason } = error
    if (reason === ('job-over' satisfies ProblemName)) return
    await this.#db.transact(
      withEntry(idAt(this.#db.clock.now()), enterNobody),
      tx => jobs.abandon(tx, job, reason),
      () => writeEntry('import.abandon', { target: job, cases: [], reason }),
    )
  }
}

const ownersOf = async (tx: Tx): Promise<Owners> => ({
  own: (await tx.actor).organisation,
  divisions: await ownAndDivisions(tx),
})

const isTaken = (error: unknown): boolean => {
  const { constraint_name: name } = ofDriver<{ code?: string; constraint_name?: string }>(error)
  return name === 'cases_external_id' || name === 'documents_number'
}

/** Admits the account of the job with the rights that it has now. */
const entered = (job: string) => enterJob(job, permissions['imports:create'])
