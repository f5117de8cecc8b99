import { randomUUIDv7 } from 'node:crypto'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { newerThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { notFound, stale } from '../../problem.ts'
import { Account, type AccountChange, Colleagues, type NewAccount } from './contract.ts'

const columns = sql`a.id, jsonb_build_object('id', a.organisation_id, 'kind', a.organisation_kind) as organisation,
  a.email, a.name, a.roles, a.status, a.version, (
    select jsonb_build_object('roles', w.roles, 'askedBy', w.asked_by, 'expiresAt', app.rfc3339(w.expires_at),
      'mayConfirm', app.vouches(a.id))
    from waiting_accounts w where w.account_id = a.id order by w.roles limit 1) as waiting`

export async function list(tx: Tx, { cursor, limit }: PageQuery): Promise<Page<Account>> {
  const rows = await tx.rows(
    Account,
    sql`
      select ${columns} from accounts a where a.id ${newerThan(cursor)} order by a.id limit ${limit + 1}`,
  )
  return pageOf(rows, { limit })
}

/** Returns the people of the caller's organisation by name, also those who have left. */
export const colleagues = async (tx: Tx): Promise<Colleagues> => ({
  items: await tx.rows(Colleagues.shape.items.element, sql`select id, name, roles, active from app.colleagues()`),
})

export async function find(tx: Tx, id: string): Promise<Account> {
  const [row] = await tx.rows(Account, sql`select ${columns} from accounts a where a.id = ${id}`)
  if (!row) throw notFound()
  return row
}

/** Makes an account without a password, and stores the hash of its enrolment code. Returns its id. */
export async function invite(
  tx: Tx,
  { email, name, roles, organisationId }: NewAccount,
  codeHash: Buffer,
): Promise<string> {
  const id = randomUUIDv7()
  const rows = await tx.execute(sql`
    insert into accounts (id, organisation_id, organisation_kind, email, name, roles)
    select ${id}, o.id, o.kind, ${email}, ${name}, ${sql.param(roles)}::text[] from organisations o
    where o.id = coalesce(${organisationId ?? null}::uuid, app.org()) and app.manages(o.id) returning id`)
  if (!rows.length) throw notFound()
  await giveCode(tx, id, codeHash)
  return id
}

export async function change(
  tx: Tx,
  id: string,
  version: number,
  { name, roles, status }: AccountChange,
): Promise<Account> {
  const rows = await tx.execute(sql`
    update accounts set name = coalesce(${name ?? null}, name), ${roles ? sql`roles = ${sql.param(roles)}::text[],` : sql``}
      status = coalesce(${status ?? null}, status), version = version + 1
    where id = ${id} and version = ${version} and app.manages(organisation_id) returning id`)
  const account = await find(tx, id)
  if (!rows.length) throw stale()
  return account
}

/** Confirms, as a second person, what waits for an account. The caller may not see the account afterwards. */
export async function confirm(tx: Tx, id: string, version: number): Promise<void> {
  await tx.execute(sql`select app.confirm_account(${id}, ${version})`)
}

/** Replaces the enrolment code, for a person who lost the code or forgot the password. */
export async function reenrol(tx: Tx, id: string, codeHash: Buffer): Promise<void> {
  const [account] = await tx.execute(sql`select a.id from accounts a where a.id = ${id} and app.enrols(a.id)`)
  if (!account) throw notFound()
  await giveCode(tx, id, codeHash)
}

const giveCode = (tx: Tx, id: string, codeHash: Buffer) =>
  tx.execute(sql`
    insert into enrolments (account_id, code_hash, expires_at) values (${id}, ${codeHash}, app.now() + app.term('enrolment_code'))
    on conflict (account_id) do update set code_hash = excluded.code_hash, expires_at = excluded.expires_at`)
