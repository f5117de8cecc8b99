import type { Office } from '../access/permissions.ts'

/**
 * The first statement of a transaction: it identifies the caller, or refuses them (see `app.enter`). `line`: where the
 * transaction waits for a connection (see `pool.ts`).
 */
export type Admission = readonly [text: string, values: readonly unknown[], line: string]

/** The line of work that no account asked for. */
export const nobody = 'nobody'

/** `self`: the operation concerns nothing but the account itself. */
export const enterSession = (
  session: string,
  offices: readonly Office[],
  { self = false, account = session } = {},
): Admission => ['select app.enter($1, $2, $3) as actor', [session, offices, self], account]
export const enterJob = (job: string, offices: readonly Office[]): Admission => [
  'select app.enter_job($1, $2) as actor',
  [job, offices],
  job,
]
/** The same for a transaction whose audit entry has this id: the rows that it writes refer to the entry. */
export const withEntry = (id: string, [text, values, line]: Admission): Admission => [
  `${text}, set_config('app.entry', $${values.length + 1}, true)`,
  [...values, id],
  line,
]
/** Without a caller: no row is visible, and only the functions for signing in can be called. */
export const enterNobody: Admission = [`select set_config('app.actor', '', true), null as actor`, [], nobody]
