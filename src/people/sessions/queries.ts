import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { OrganisationKind, officesOf, permissionsOf, Role } from '../../platform/access/permissions.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { Id } from '../../platform/http/contract.ts'
import { tooMany, unauthorized } from '../../problem.ts'
import type { Me } from './contract.ts'

/**
 * Returns a secret, which is shown once, and its hash, which is stored: 256 random bits need no salt and no slow hash.
 */
export const newSecret = (bytes = 32) => {
  const secret = randomBytes(bytes).toString('base64url')
  return { secret, hash: hashOf(secret) }
}
export const hashOf = (secret: string) => createHash('sha256').update(secret).digest()

/** Failed attempts without a delay: a person mistypes, and an office shares an address. */
const free = { account: 4, address: 30 }

/** Keyed hashes of what is guessed (e-mail, account or code) and of the network address of the caller. */
export type Guess = { account: Buffer; address: Buffer }

const GuessRow = z.object({ wait: z.int() })

/**
 * Counts this attempt before it is checked. Throws `too-many-requests` while the delay after earlier failures lasts.
 */
export async function countGuess(tx: Tx, keys: Guess): Promise<void> {
  const [row] = await tx.rows(
    GuessRow,
    sql`select greatest(app.count_guess(${keys.address}, ${free.address}), app.count_guess(${keys.account}, ${free.account})) as wait`,
  )
  if (row && row.wait > 0) throw tooMany(row.wait)
}

const CredentialsRow = z.object({ account: Id, password_hash: z.string().nullable() })

export async function credentials(tx: Tx, email: string): Promise<z.output<typeof CredentialsRow> | undefined> {
  const [row] = await tx.rows(CredentialsRow, sql`select * from app.credentials(${email})`)
  return row
}

/** Resets the counters after a successful attempt. */
export const forgetGuess = (tx: Tx, { account, address }: Guess) =>
  tx.execute(sql`select app.forget_guesses(${account}, ${address})`)

const StartedRow = z.object({ session: Id })

/** Opens a session with its first refresh token. Returns the id of the session. */
export async function start(tx: Tx, account: string, refreshHash: Buffer): Promise<string> {
  const [row] = await tx.rows(StartedRow, sql`select app.start_session(${account}, ${refreshHash}) as session`)
  if (!row) throw unauthorized()
  return row.session
}

const RefreshedRow = z.object({ session: Id.nullable(), account: Id })

/**
 * Replaces a refresh token by the next one. Returns its account and session; `session` is null if the token was used
 * before, both are null if it is unknown.
 */
export async function refresh(tx: Tx, hash: Buffer, nextHash: Buffer) {
  const [row] = await tx.rows(RefreshedRow, sql`select * from app.refresh_session(${hash}, ${nextHash})`)
  return row ?? { session: null, account: null }
}

export const end = async (tx: Tx, which: 'current' | 'all'): Promise<null> => {
  const mine = which === 'current' ? sql`id = (app.actor() ->> 'session')::uuid` : sql`true`
  await tx.execute(
    sql`update sessions set revoked_at = app.now() where account_id = app.account() and revoked_at is null and ${mine}`,
  )
  return null
}

export const enrol = (tx: Tx, code: string, passwordHash: string) =>
  tx.execute(sql`select app.enrol(${hashOf(code)}, ${passwordHash})`)

const PasswordRow = z.object({ hash: z.string().nullable() })

export async function ownPassword(tx: Tx): Promise<string | null> {
  const [row] = await tx.rows(PasswordRow, sql`select app.own_password() as hash`)
  return row?.hash ?? null
}

export const changePassword = (tx: Tx, passwordHash: string) =>
  tx.execute(sql`select app.change_password(${passwordHash})`)

const MeRow = z.object({
  id: Id,
  email: z.string(),
  name: z.string(),
  roles: z.array(Role),
  org: Id,
  org_name: z.string(),
  kind: OrganisationKind,
})

export async function me(tx: Tx): Promise<Me> {
  const [row] = await tx.rows(
    MeRow,
    sql`
      select a.id, a.email, a.name, a.roles, o.id as org, o.name as org_name, o.kind
      from accounts a join organisations o on o.id = a.organisation_id where a.id = app.account()`,
  )
  if (!row) throw unauthorized()
  const { id, email, name, roles, org, org_name, kind } = row
  const permissions = permissionsOf(officesOf(roles, kind))
  return { id, email, name, roles, organisation: { id: org, name: org_name, kind }, permissions }
}
