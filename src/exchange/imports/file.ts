import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { CsvError, type Parser, parse } from 'csv-parse'
import { invalid, Problem, pointer } from '../../problem.ts'
import { columns, required } from './row.ts'

/** Bytes. */
const longestRow = 64 * 1024
const pieceSize = 256 * 1024

/** A row of the file by its columns. `error`: its number of fields differs from the header. */
export type Line = { record: Record<string, string>; info: { lines: number; error?: unknown } }

/**
 * Parses the rows of a file. A header with wrong columns destroys the parser with a {@link Problem}; a good one calls
 * `named`.
 */
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

/** Throws `invalid-request` with a fault for each column that is unknown, missing or repeated. */
function checkHeader(header: string[]): void {
  const faults = [
    ...header
      .filter(name => !isColumn(name))
      .map(name => [name.slice(0, 60), 'Not a column of an import file'] as const),
    ...header
      .filter((name, at) => isColumn(name) && header.indexOf(name) < at)
      .map(name => [name, 'This column appears twice'] as const),
    ...required.filter(name => !header.includes(name)).map(name => [name, 'This column is missing'] as const),
  ]
  if (faults.length)
    throw invalid(faults.slice(0, 20).map(([name, detail]) => ({ pointer: pointer(['header', name]), detail })))
}
const isColumn = (name: string) => (columns as readonly string[]).includes(name)

/** A received file: its size, its hash and its number of rows. */
export type Taken = { bytes: number; sha256: Buffer; total: number }

/**
 * Reads a file as it arrives, and passes it to `keep` in pieces. Refuses it at once, with a pointer to the fault, if it
 * is not CSV in UTF-8, has another header or a row that is too long; throws `too-large` if it has more than `most`
 * bytes.
 */
export async function takeIn(body: Readable, most: number, keep: (piece: Buffer) => Promise<void>): Promise<Taken> {
  const hash = createHash('sha256')
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  let named = false
  const rows = rowsOf(() => {
    named = true
  })
  const counted = count(rows)
  counted.catch(() => {}) // rejects where it is awaited
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

/** Returns a {@link Problem} for an error in the file, and any other error unchanged. */
function refusalOf(error: unknown): unknown {
  if ((error as { code?: string }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return invalid([{ pointer: '#', detail: 'Expected text in UTF-8' }])
  if (!(error instanceof CsvError)) return error
  const detail =
    error.code === 'CSV_MAX_RECORD_SIZE' ? `Expected rows of at most ${longestRow / 1024} kB` : 'Expected CSV'
  return invalid([{ pointer: pointer(['lines', Number(error.lines ?? 1)]), detail }])
}
