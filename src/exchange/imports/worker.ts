import { randomUUIDv7 } from 'node:crypto'
import { Readable } from 'node:stream'
import { ownAndDivisions } from '../../people/organisations/queries.ts'
import type { Keys } from '../../platform/access/keys.ts'
import { permissions } from '../../platform/access/permissions.ts'
import { type Database, enterJob, enterNobody, ofDriver, type Tx, withEntry } from '../../platform/db/database.ts'
import { writeEntry } from '../../platform/db/entry.ts'
import { traceOf } from '../../platform/http/problems.ts'
import { Problem } from '../../problem.ts'
import type { ProblemName } from '../../problems.ts'
import * as jobs from '../jobs/queries.ts'
import { Batch, type Owners } from './batch.ts'
import { type Line, rowsOf } from './file.ts'
import * as imports from './queries.ts'

const batchSize = 1_000
/** Seconds after which a job that nobody advances is anybody's. */
const lease = 30
/** Milliseconds between two looks for work that nobody called for. */
const lookEvery = 5_000

type Log = { error(fields: object, message: string): void }

/** Works on waiting imports, one at a time, until it is closed. Each batch acts with the rights that the account has then. */
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

  /** Looks for work now, and again and again for what others left behind. */
  start(): void {
    this.#timer = setInterval(() => this.wake(), lookEvery).unref()
    this.wake()
  }

  /** There may be something to do. */
  wake(): void {
    this.#woken = true // also while it looks for the last time
    if (this.#closed || this.#working) return
    this.#working = this.#workOff()
      .catch(error => this.#log.error({ trace: traceOf(error) }, 'import worker failed'))
      .finally(() => {
        this.#working = undefined
        if (this.#woken) this.wake()
      })
  }

  /** Ends after the batch at hand; what is left is gone on with by whoever comes next. */
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
      writing.catch(() => {}) // told when it is awaited
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
    await this.#told('import.end', id, tx => jobs.end(tx, id, 'done'))
  }

  async #write(id: string, batch: Batch): Promise<void> {
    const once = () =>
      this.#told('import.batch', id, async tx => {
        await jobs.holdOn(tx, id, lease)
        const progress = await batch.write(tx, id)
        await imports.advance(tx, id, progress)
        return progress
      })
    // A batch that met the same registration or document under way elsewhere finds it on record the second time.
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

  /** What is done for an account has its entry, as if it had asked for it. */
  async #told(
    operation: string,
    job: string,
    work: (tx: Tx) => Promise<{ cases: string[] } | undefined>,
  ): Promise<void> {
    await this.#db.transact(withEntry(randomUUIDv7(), entered(job)), work, done =>
      writeEntry(operation, { target: job, cases: done?.cases ?? [], zones: [] }),
    )
  }

  #as<T>(job: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#db.transact(entered(job), work)
  }

  /** Lost rights end a job; one that is over or in other hands is let go; anything else leaves it to be leased again. */
  async #giveUp(job: string, error: Error): Promise<void> {
    if (!(error instanceof Problem) || error.details.status >= 500) throw error
    const { message: reason } = error
    if (reason === ('job-over' satisfies ProblemName)) return
    await this.#db.transact(
      withEntry(randomUUIDv7(), enterNobody),
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

/** With the rights that the account has now. */
const entered = (job: string) => enterJob(job, permissions['imports:create'])
