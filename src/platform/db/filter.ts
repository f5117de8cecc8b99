import { type SQL, sql } from './drizzle.ts'

/** `and column is any of these`; nothing when nothing was asked for. */
export const among = (column: SQL, values: readonly string[] | undefined): SQL =>
  values ? sql`and ${column}::text = any (${sql.param(values)}::text[])` : sql``
