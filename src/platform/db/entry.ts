import { type SQL, sql } from './drizzle.ts'

/** What an entry of the audit log says beyond who and when: ids, codes and keyed hashes. */
export type Said = { cases: readonly string[]; zones?: readonly string[] } & Record<string, unknown>

/** The last statement of a transaction that did something: its entry. */
export const writeEntry = (operation: string, said: Said): SQL =>
  sql`select app.write_entry(${operation}, ${JSON.stringify(said)}::jsonb)`

/** An entry of something that nobody asked the API for. */
export const tell = (operation: string): SQL => sql`select app.tell(${operation})`

/** The last statement of one that keeps what was refused; `session`: of whoever had signed in. */
export const writeRefusal = (session: string | null, operation: string, problem: string, said: Said): SQL =>
  sql`select app.write_refusal(${session}, ${operation}, ${problem}, ${JSON.stringify(said)}::jsonb)`
