import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { CsvError, type Parser, parse } from 'csv-parse'
import { invalid, Problem, pointer } from '../../problem.ts'
import { columns, required } from './row.ts'

/** Bytes. */
const longestRow = 64 * 1024
const pieceSize = 256 * 1024

/** A row of the file by its columns; `error`: it has not as many fields as the header. */
export type Line = { record: Record<string, string>; info: { lines: number; error?: unknown } }

/** Reads rows out of a file. A header of other columns destroys it with a {@link Problem}; `named` hears of a good one. */
export const rowsOf = (named = () => {}): Parser & AsyncIterable<Line> =>
  parse({
    bom: true,
    columns: header => {
      checkHeader(header)
      named()
      return header
    },
    info: true,
    relax_column_count: true, // a row with too few or too many is a fault of that row
    skip_empty_lines: true,
    max_record_size: longestRow,
  })

/** Columns that are not known are refused by name, and so is a header that lacks one or has one twice. */
function checkHeader(header: string[]): void {
  const faults = [
    ...header
      .filter(name => !isColumn(name))
      .map(name => [name.slice(0, 60), 'Not a column of an import file'] as const),
    ...header.filter((name, at) => isColumn(name) && header.indexOf(name) < at).map(name => [name, 'Twice'] as const),
    ...required.filter(name => !header.includes(name)).map(name => [name, 'This column is missing'] as const),
  ]
  if (faults.length)
    throw invalid(faults.slice(0, 20).map(([name, detail]) => ({ pointer: pointer(['header', name]), detail })))
}
const isColumn = (name: string) => (columns as readonly string[]).includes(name)

/** What came in: its size, what it is known again by, and how many rows it has. */
export type Taken = { bytes: number; sha256: Buffer; total: number }

/**
 * Takes a file in as it comes, and hands it on in pieces. One that is no CSV in UTF-8, has another header, a row that is
 * too long or more bytes than `most` is refused at once, with a pointer to the fault.
 */
export async function takeIn(body: Readable, most: number, keep: (piece: Buffer) => Promise<void>): Promise<Taken> {
  const hash = createHash('sha256')
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let named = false
  const rows = rowsOf(() => {
    named = true
  })
  const counted = count(rows)
  counted.catch(() => {}) // told when it is asked for
  let [bytes, pieces, size] = [0, [] as Buffer[], 0]
  const keepPieces = async () => {
    const piece = Buffer.concat(pieces)
    ;[pieces, size] = [[], 0]
    await keep(piece)
  }
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > most) throw new Problem('too-large')
      utf8.decode(piece, { stream: true })
      hash.update(piece)
      if (rows.errored) await counted
      if (!rows.write(piece)) await Promise.race([once(rows, 'drain'), counted])
      pieces.push(piece)
      size += piece.length
      if (size >= pieceSize) await keepPieces()
    }
    utf8.decode()
    rows.end()
    const total = await counted
    if (!named) checkHeader([])
    if (size) await keepPieces()
    return { bytes, sha256: hash.digest(), total }
  } catch (error) {
    throw refusalOf(error)
  } finally {
    rows.destroy()
  }
}

async function count(rows: AsyncIterable<Line>): Promise<number> {
  let total = 0
  for await (const _ of rows) total++
  return total
}

/** What was wrong with the file, if that is what went wrong. */
function refusalOf(error: unknown): unknown {
  if ((error as { code?: string }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return invalid([{ pointer: '#', detail: 'Expected text in UTF-8' }])
  if (!(error instanceof CsvError)) return error
  const detail =
    error.code === 'CSV_MAX_RECORD_SIZE' ? `Expected rows of at most ${longestRow / 1024} kB` : 'Expected CSV'
  return invalid([{ pointer: pointer(['lines', Number(error.lines ?? 1)]), detail }])
}
