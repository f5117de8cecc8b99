import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { z } from 'zod'
import { StartError, unusable } from '../../config.ts'
import type { Keys } from '../../platform/access/keys.ts'
import { Id } from '../../platform/http/contract.ts'

/** An erasure as the ledger records it: `app.replay_erasure` can repeat it. */
export const ErasureRecord = z.object({
  id: Id,
  case_id: Id,
  holder_id: Id,
  file: z.boolean(),
  legal_basis: z.string(),
  requested_by: Id.nullable(),
  requested_at: z.string(),
  settled_by: Id.nullable(),
  settled_at: z.string().nullable(),
})
export type ErasureRecord = z.output<typeof ErasureRecord>
const Line = z.object({ erasure: ErasureRecord, mac: z.string() })

/** The maximal length of a line, in bytes. */
const longest = 4096

const example = '/etc/qujat/erasures.jsonl'

/**
 * The list of all erasures, in a file outside the database. After a restore of an older backup it shows what to erase
 * again. Each line is an erasure: ids, codes and instants, and a keyed hash, so that a line
 * that erases a file can be added only with the keys.
 */
export class Ledger {
  readonly path: string
  readonly #keys: Pick<Keys, 'hash'>

  constructor(path: string, keys: Pick<Keys, 'hash'>) {
    this.path = path
    this.#keys = keys
  }

  /** Makes the file. Throws a {@link StartError} if it exists or cannot be made. */
  static create(path: string): void {
    try {
      closeSync(openSync(path, 'wx', 0o600))
    } catch (error) {
      throw unusable('ERASURE_LEDGER', path, example, error)
    }
  }

  /**
   * Returns all erasures, oldest first, each once: after a crash the file may contain some twice. Throws a
   * {@link StartError} if the file is missing, is not writable, or has a line that was not written with these keys.
   */
  read(): ErasureRecord[] {
    try {
      accessSync(this.path, constants.W_OK) // fails now, and not at the first erasure
      const lines = wholeLines(readFileSync(this.path, 'utf8')).map((line, i) => this.#opened(line, i + 1))
      return [...new Map(lines.map(line => [line.id, line])).values()]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new StartError(
          `ERASURE_LEDGER ${this.path} does not exist. It lists what has to be erased again after a restore: copy it together with KEY_FILE. In a new installation: npm run admin -- create-ledger`,
        )
      throw unusable('ERASURE_LEDGER', this.path, example, error)
    }
  }

  /**
   * Writes lines to the disk after the last complete line. Cuts off the rest of a line that a crash left incomplete.
   */
  append(erasures: readonly ErasureRecord[]): void {
    const file = openSync(this.path, 'r+')
    try {
      const end = endOfLastLine(file)
      ftruncateSync(file, end)
      const lines = erasures.map(erasure => `${JSON.stringify({ erasure, mac: this.#macOf(erasure) })}\n`)
      writeSync(file, lines.join(''), end)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }

  #opened(line: string, number: number): ErasureRecord {
    const read = Line.safeParse(parsed(line))
    if (!read.success || read.data.mac !== this.#macOf(read.data.erasure))
      throw new StartError(`ERASURE_LEDGER ${this.path}: line ${number} was not written with this KEY_FILE`)
    return read.data.erasure
  }

  #macOf = (erasure: ErasureRecord) =>
    this.#keys.hash('erasure', JSON.stringify(Object.entries(erasure).sort())).toString('hex')
}

/** Returns the position after the last complete line. Searches the last `longest` bytes, because no line is longer. */
function endOfLastLine(file: number): number {
  const { size } = fstatSync(file)
  const from = Math.max(0, size - longest)
  const last = Buffer.alloc(size - from)
  readSync(file, last, 0, last.length, from)
  return from + last.lastIndexOf('\n') + 1
}

const wholeLines = (text: string) => text.split('\n').slice(0, -1)

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
