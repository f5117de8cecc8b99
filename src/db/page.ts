import { z } from 'zod'

/** Where a page ended: the id of its last row, opaque to callers. */
const encode = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
const decode = (cursor: string) => Buffer.from(cursor, 'base64url').toString('hex')

const Cursor = z
  .string()
  .regex(/^[\w-]{22}$/, 'Not a cursor of this list')
  .transform(cursor => decode(cursor).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))

/** The query of a list: how many, and after which row. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: Cursor.optional(),
})
export type PageQuery = z.output<typeof PageQuery>

export type Page<T> = { items: T[]; nextCursor: string | null }

/** A page of rows that were asked for with one more than `limit`. */
export function pageOf<T extends { id: string }>(rows: readonly T[], { limit }: Pick<PageQuery, 'limit'>): Page<T> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last ? encode(last.id) : null }
}
