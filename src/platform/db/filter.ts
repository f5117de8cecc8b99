import { type SQL, sql } from './drizzle.ts'

/** Returns the condition `and column = any (values)`; empty SQL without values. */
export const among = (column: SQL, values: readonly string[] | undefined): SQL =>
  values ? sql`and ${column}::text = any (${sql.param(values)}::text[])` : sql``
