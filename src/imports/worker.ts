import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import type { Keys } from '../access/keys.ts'
import { permissions } from '../access/permissions.ts'
import { type Database, enterJob, enterNobody, type Tx } from '../db/database.ts'
import { traceOf } from '../http/problems.ts'
import { Problem } from '../problem.ts'
import { importRows } from './batch.ts'
import * as imports from './queries.ts'
import { columns, type Fault, type Read, readRow, required } from './row.ts'

const batchSize = 500
/** Seconds after which a job that nobody advances is anybody's. */
const lease = 30
/** Milliseconds between two looks for work that nobody called for. */
const lookEvery = 5_000
const longestRow = 64 * 1024

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
      const job = await this.#db.transact(enterNobody, tx => imports.lease(tx, lease))
      if (!job) return
      await this.#run(job).catch(error => this.#fail(job, error))
    }
  }

  async #run(id: string): Promise<void> {
    const { chunks, records: done, ...job } = await this.#as(id, tx => imports.waiting(tx, id))
    let records = 0
    let batch: { reads: Read[]; faults: Fault[]; records: number } = { reads: [], faults: [], records: 0 }
    const flush = async () => {
      const { reads, faults, records } = batch
      batch = { reads: [], faults: [], records: 0 }
      if (!records) return
      await this.#as(id, async tx => {
        const written = await importRows(tx, this.#keys, { ...job, id }, reads)
        await imports.advance(tx, id, { ...written, records, faults: [...faults, ...written.faults] }, lease)
      })
    }
    for await (const { record, info } of this.#records(id, chunks)) {
      if (++records <= done) continue
      const result = info.error ? uneven(info.lines) : readRow(info.lines, record)
      if ('read' in result) batch.reads.push(result.read)
      else batch.faults.push(...result.faults)
      if (++batch.records < batchSize) continue
      await flush()
      if (this.#closed) return
    }
    await flush()
    await this.#as(id, tx => imports.end(tx, id, 'done'))
  }

  #records(
    id: string,
    chunks: number,
  ): AsyncIterable<{ record: Record<string, string>; info: { lines: number; error?: unknown } }> {
    const as = this.#as.bind(this)
    async function* file() {
      for (let position = 0; position < chunks; position++) yield await as(id, tx => imports.chunk(tx, id, position))
    }
    const parser = parse({
      bom: true,
      columns: checkHeader,
      info: true,
      relax_column_count: true, // a row with too few or too many is a fault of that row
      skip_empty_lines: true,
      max_record_size: longestRow,
    })
    const source = Readable.from(file())
    source.on('error', error => parser.destroy(error))
    return source.pipe(parser)
  }

  #as<T>(job: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#db.transact(enterJob(job, permissions['imports:create']), work)
  }

  /** A file that is none ends its job, and so do lost rights; anything else leaves it to be leased again. */
  async #fail(job: string, error: Error): Promise<void> {
    if (error instanceof Problem && error.details.status < 500)
      return this.#db.transact(enterNobody, tx => imports.abandon(tx, job, error.message))
    if (!(error instanceof CsvError || error instanceof HeaderError)) throw error
    const field = error instanceof HeaderError ? error.field : ''
    const fault = {
      line: 'lines' in error ? Number(error.lines) : 1,
      field,
      reason: error instanceof HeaderError ? error.message : 'Not CSV',
    }
    await this.#as(job, async tx => {
      await imports.advance(tx, job, { records: 0, registered: 0, existing: 0, faults: [fault] }, lease)
      await imports.end(tx, job, 'failed', 'invalid-request')
    })
  }
}

const uneven = (line: number) => ({ faults: [{ line, field: '', reason: 'Not as many fields as the header' }] })

class HeaderError extends Error {
  readonly field: string
  constructor(field: string, reason: string) {
    super(reason)
    this.field = field
  }
}

/** Columns that are not known are refused by name, and so is a header that lacks one. */
function checkHeader(header: string[]): string[] {
  const names: readonly string[] = columns
  const stranger = header.find(name => !names.includes(name))
  if (stranger !== undefined) throw new HeaderError(stranger.slice(0, 60), 'Not a column of this file')
  const missing = required.find(name => !header.includes(name))
  if (missing) throw new HeaderError(missing, 'This column is missing')
  return header
}
