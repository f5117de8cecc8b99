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

/** An erasure as the ledger tells of it, and as `app.replay_erasure` does it again. */
export const Told = z.object({
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
export type Told = z.output<typeof Told>
const Line = z.object({ told: Told, mac: z.string() })

/** Bytes that a line has at most. */
const longest = 4096

const example = '/etc/qujat/erasures.jsonl'

/**
 * What was ever erased, in a file apart from the database: whoever restores a database from before an erasure knows by it
 * what to erase again. A line an erasure, with ids, codes and instants, and a keyed hash, so that nobody can have somebody
 * else's file erased by a line.
 */
export class Ledger {
  readonly path: string
  readonly #keys: Pick<Keys, 'hash'>

  constructor(path: string, keys: Pick<Keys, 'hash'>) {
    this.path = path
    this.#keys = keys
  }

  /** Makes the file. Throws a {@link StartError} when it exists or cannot be made. */
  static create(path: string): void {
    try {
      closeSync(openSync(path, 'wx', 0o600))
    } catch (error) {
      throw unusable('ERASURE_LEDGER', path, example, error)
    }
  }

  /** All that it tells of, the oldest first, each once: after a crash some are told of again. Throws a {@link StartError} when it is missing, or says what this service has not written. */
  read(): Told[] {
    try {
      accessSync(this.path, constants.W_OK) // what cannot be written is told now, and not when somebody was to be erased
      const told = wholeLines(readFileSync(this.path, 'utf8')).map((line, i) => this.#opened(line, i + 1))
      return [...new Map(told.map(one => [one.id, one])).values()]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new StartError(
          `ERASURE_LEDGER ${this.path} is not there, and without it nobody knows what has to be erased again: copy it along with KEY_FILE. Where there has never been one: npm run admin -- create-ledger`,
        )
      throw unusable('ERASURE_LEDGER', this.path, example, error)
    }
  }

  /** Writes lines to the disk, behind what stands there whole: the end of a line that a crash cut is nobody's word. */
  append(erasures: readonly Told[]): void {
    const file = openSync(this.path, 'r+')
    try {
      const end = endOfLastLine(file)
      ftruncateSync(file, end)
      writeSync(file, erasures.map(told => `${JSON.stringify({ told, mac: this.#macOf(told) })}\n`).join(''), end)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  }

  #opened(line: string, number: number): Told {
    const read = Line.safeParse(parsed(line))
    if (!read.success || read.data.mac !== this.#macOf(read.data.told))
      throw new StartError(`ERASURE_LEDGER ${this.path}: line ${number} was not written with this KEY_FILE`)
    return read.data.told
  }

  #macOf = (told: Told) => this.#keys.hash('erasure', JSON.stringify(Object.entries(told).sort())).toString('hex')
}

/** Where the last line that stands there whole ends: looked for in the last bytes, of which a line has fewer. */
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
