import { z } from 'zod'
import { bytesOf, idOf } from '../access/id.ts'
import { type SQL, sql } from './drizzle.ts'

/** Returns the cursor of a page: the id of its last row, opaque to callers. */
const encode = (id: string) => bytesOf(id).toString('base64url')

const Cursor = z
  .string()
  .regex(/^[\w-]{22}$/, 'Expected the nextCursor of a reply of this list')
  .transform(cursor => idOf(Buffer.from(cursor, 'base64url')))

/** Greater than every id: a page that starts here starts with the newest row. */
const last = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Less than every id. */
const first = '00000000-0000-0000-0000-000000000000'

/** The id that every id of the page is below. */
export const startOf = (cursor: string | undefined): SQL => sql`${cursor ?? last}::uuid`
/** The comparison that selects the rows after the cursor: `id ${olderThan(cursor)}`. */
export const olderThan = (cursor: string | undefined): SQL => sql`< ${startOf(cursor)}`

/** The same for a list that starts with the oldest row. */
export const newerThan = (cursor: string | undefined): SQL => sql`> ${cursor ?? first}::uuid`

/** The query of a list: how many rows, and after which row. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: Cursor.optional(),
})
export type PageQuery = z.output<typeof PageQuery>

export type Page<T> = { items: T[]; nextCursor: string | null }

/** A position in the order of changes: microseconds since 1970, and an id. */
export type Change = { at: string; id: string }

const ofChange = ({ at, id }: Change) => {
  const bytes = Buffer.alloc(24, id.replaceAll('-', ''), 'hex')
  bytes.copy(bytes, 8, 0, 16)
  bytes.writeBigUInt64BE(BigInt(at))
  return bytes.toString('base64url')
}

/** The cursor of a page of changes: the position of its last row. */
export const ChangeCursor = z
  .string()
  .regex(/^[\w-]{32}$/, 'Expected the nextCursor of a reply of this list')
  .transform((cursor): Change => {
    const bytes = Buffer.from(cursor, 'base64url')
    return { at: String(bytes.readBigUInt64BE()), id: idOf(bytes.subarray(8)) }
  })

/** Makes a page of rows with the cursor of its last row; the query must have selected one row more than `limit`. */
const pageWith =
  <Last>(cursorOf: (last: Last) => string) =>
  <T extends Last>(rows: readonly T[], { limit }: Pick<PageQuery, 'limit'>): Page<T> => {
    const items = rows.slice(0, limit)
    const last = items.at(-1)
    return { items, nextCursor: rows.length > limit && last ? cursorOf(last) : null }
  }

/** Returns a page of rows in the order of their ids; the query must have selected one row more than `limit`. */
export const pageOf = pageWith(({ id }: { id: string }) => encode(id))
/** The same in the order of changes. */
export const pageOfChanges = pageWith(ofChange)
