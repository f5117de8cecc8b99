import { randomUUIDv7 } from 'node:crypto'
import type { z } from 'zod'
import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { requireReached } from '../../casefile/zones/queries.ts'
import { party } from '../../people/organisations/queries.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { type SQL, sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { sealed, sealerFor } from '../../platform/db/sealed.ts'
import { notFound } from '../../problem.ts'
import { type NewNote, Note, NoteVersions } from './contract.ts'

const own = sql`n.organisation_id = (select app.org())`

/** For callers who may no longer read the note, the version row is hidden, so text and reason are null. */
const columns = sql`n.id, n.case_id as "caseId", ${party('o')} as organisation,
  n.audience, ${sealed('v.content')} as content, n.struck,
  case when ${own} then n.created_by end as "createdBy", app.rfc3339(n.created_at) as "createdAt",
  app.rfc3339(v.written_at) as "writtenAt", n.version,
  case when ${own} and not n.struck then array_remove(array[case when n.audience = 'organisation'
    or (select true from case_access a where a.case_id = n.case_id limit 1) then 'edit' end, 'strike'], null) else '{}' end as "allowedActions"
  from notes n join organisations o on o.id = n.organisation_id
    left join note_versions v on v.note_id = n.id and v.version = n.version`

const sealedText = { content: Sealed.nullable() }
const NoteRow = Note.omit({ text: true, reason: true }).extend(sealedText)
const VersionRow = NoteVersions.shape.items.element.omit({ text: true, reason: true }).extend(sealedText)

function opened<Row extends z.output<typeof NoteRow | typeof VersionRow>>(
  { keys }: Tx,
  id: string,
  { content, ...kept }: Row,
) {
  return { ...kept, ...sealedColumns.note.fields(keys, [id, kept.version], content) }
}

async function list(tx: Tx, of: SQL, { cursor, limit }: PageQuery): Promise<Page<Note>> {
  const rows = await tx.rows(
    NoteRow,
    sql`select ${columns} where ${of} and n.id ${olderThan(cursor)} order by n.id desc limit ${limit + 1}`,
  )
  return pageOf(
    rows.map(note => opened(tx, note.id, note)),
    { limit },
  )
}

/** Returns a page of the notes on a case that the caller may read, newest first. */
export async function listOf(tx: Tx, caseId: string, query: PageQuery): Promise<Page<Note>> {
  const [, page] = await Promise.all([requireReached(tx, caseId), list(tx, sql`n.case_id = ${caseId}`, query)])
  return page
}

/** Returns a page of the notes of the caller's organisation, including those on cases no longer open to it. */
export const listOwn = (tx: Tx, query: PageQuery) => list(tx, own, query)

export async function find(tx: Tx, id: string): Promise<Note> {
  const [row] = await tx.rows(NoteRow, sql`select ${columns} where n.id = ${id}`)
  if (!row) throw notFound()
  return opened(tx, id, row)
}

export async function versions(tx: Tx, id: string): Promise<NoteVersions & { caseId: string }> {
  const [{ caseId }, items] = await Promise.all([
    find(tx, id),
    tx.rows(
      VersionRow,
      sql`
        select v.version, ${sealed('v.content')} as content,
          case when ${own} then v.written_by end as "writtenBy", app.rfc3339(v.written_at) as "writtenAt"
        from note_versions v join notes n on n.id = v.note_id where n.id = ${id} order by v.version desc`,
    ),
  ])
  return { caseId, items: items.map(version => opened(tx, id, version)) }
}

export async function write(tx: Tx, caseId: string, { audience, text }: NewNote): Promise<string> {
  const id = randomUUIDv7()
  const content = sealedColumns.note.seal(await sealerFor(tx, { caseId }), [id, 1], { text })
  const rows = await tx.execute(sql`
    insert into notes (id, case_id, audience) select ${id}, c.id, ${audience} from cases c where c.id = ${caseId} returning id`)
  if (!rows.length) throw notFound()
  await tx.execute(sql`insert into note_versions (note_id, content) values (${id}, ${content})`)
  return id
}

export const rewrite = (tx: Tx, id: string, version: number, text: string) => next(tx, id, version, { text }, false)
export const strike = (tx: Tx, id: string, version: number, reason: string) => next(tx, id, version, { reason }, true)

async function next(tx: Tx, id: string, version: number, content: object, struck: boolean): Promise<Note> {
  const text = sealedColumns.note.seal(await sealerFor(tx, await find(tx, id)), [id, version + 1], content)
  await tx.execute(sql`select app.rewrite_note(${id}, ${version}, ${text}, ${struck})`)
  return find(tx, id)
}
