import { type SQL, sql } from './drizzle.ts'

/** The content of an audit entry besides account and time: ids, codes and keyed hashes. */
export type EntryContent = { cases: readonly string[]; zones?: readonly string[] } & Record<string, unknown>

/** The statement that writes the audit entry of a transaction; must be its last. */
export const writeEntry = (operation: string, content: EntryContent): SQL =>
  sql`select app.write_entry(${operation}, ${JSON.stringify(content)}::jsonb)`

/** The statement that writes an audit entry for something other than an API request. */
export const writeOwnEntry = (operation: string): SQL => sql`select app.write_own_entry(${operation})`

/** The statement that writes the audit entry of a refused request; `session`: that of the caller, if signed in. */
export const writeRefusal = (session: string | null, operation: string, problem: string, content: EntryContent): SQL =>
  sql`select app.write_refusal(${session}, ${operation}, ${problem}, ${JSON.stringify(content)}::jsonb)`
