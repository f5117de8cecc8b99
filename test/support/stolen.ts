import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type postgres from 'postgres'

/** Yields the rows of every table of every schema, including the catalogue, as a thief of the whole database reads them. */
async function* rowsOf(superuser: postgres.Sql) {
  const tables =
    await superuser`select oid::regclass::text as name from pg_class where relkind in ('r', 'p', 'm') order by 1`
  for (const { name } of tables)
    for await (const rows of superuser.unsafe(`select whole_row::text as row from ${name} whole_row`).cursor(5_000))
      yield `${name}: ${rows.map(({ row }) => row).join('\n')}`
}

/** Returns the forms that a word may have in a text: in clear, in hexadecimal, and in base64 at each of three offsets. */
function spellings(word: string): string[] {
  const bytes = Buffer.from(word)
  const inBase64 = [0, 1, 2].map(before =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(Math.ceil((before * 4) / 3), -4),
  )
  return [word, bytes.toString('hex'), ...inBase64]
}

/** Words and the forms that each may have, as the patterns of a grep, which searches five times as fast as Node. */
function patternsOf(words: readonly string[]) {
  const sought = words.map(word => ({ word, spelled: spellings(word) }))
  return { sought, patterns: sought.flatMap(({ spelled }) => spelled).join('\n') }
}

/** Returns what grep prints; nothing if it finds nothing. */
function grep(options: readonly string[], input: string): string[] {
  const { status, stdout, stderr } = spawnSync('grep', options, { input, env: { LC_ALL: 'C' }, maxBuffer: 2 ** 30 })
  if (status !== 0 && status !== 1) throw new Error(`grep failed: ${stderr}`)
  return stdout.toString().split('\n').filter(Boolean)
}

/** Returns which of these words are readable in the database, and in which table. Words must be too long to occur by chance. */
export async function readByThief(superuser: postgres.Sql, words: readonly string[]): Promise<string[]> {
  const { sought, patterns } = patternsOf(words)
  const folder = mkdtempSync(join(tmpdir(), 'thief-'))
  const file = join(folder, 'patterns')
  writeFileSync(file, patterns)
  const read: string[] = []
  try {
    for await (const rows of rowsOf(superuser)) {
      if (grep(['-alF', '-f', file], rows).length)
        for (const { word, spelled } of sought)
          if (spelled.some(spelling => rows.includes(spelling)))
            read.push(`${word} in ${rows.slice(0, rows.indexOf(':'))}`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return read
}

/** How many bytes of a file are read at a time, and how many from the end of a piece are read again with the next one. */
const [piece, overlap] = [16_000_000, 1_000]

function* piecesOf(path: string): Generator<Buffer> {
  const file = openSync(path, 'r')
  const buffer = Buffer.alloc(piece)
  for (let at = 0, read = piece; read === piece; at += piece - overlap) {
    read = readSync(file, buffer, 0, piece, at)
    yield buffer.subarray(0, read)
  }
  closeSync(file)
}

export function* filesIn(path: string): Generator<string> {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) yield* filesIn(join(path, entry.name))
    else if (entry.isFile()) yield join(path, entry.name)
}

/** Returns which of these words are readable in the files of a folder, byte for byte, and in which file. */
export function readInFiles(folder: string, words: readonly string[]): string[] {
  const { sought, patterns } = patternsOf(words)
  const read = new Set<string>()
  for (const path of grep(['-rlaF', '-D', 'skip', '-f', '-', folder], patterns))
    for (const bytes of piecesOf(path))
      for (const { word, spelled } of sought)
        if (spelled.some(spelling => bytes.includes(spelling))) read.add(`${word} in ${path}`)
  return [...read]
}
