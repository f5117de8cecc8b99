import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { OrganisationKind, officesOf, permissionsOf, Role } from '../../platform/access/permissions.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { Id } from '../../platform/http/contract.ts'
import { Problem, unauthorized } from '../../problem.ts'
import type { Proof } from '../second-factors/policy.ts'
import { used } from '../second-factors/queries.ts'
import type { Me } from './contract.ts'

/**
 * Returns a secret, which is shown once, and its hash, which is stored: 256 random bits need no salt and no slow hash.
 */
export const newSecret = (bytes = 32) => {
  const secret = randomBytes(bytes).toString('base64url')
  return { secret, hash: hashOf(secret) }
}
export const hashOf = (secret: string) => createHash('sha256').update(secret).digest()

const CredentialsRow = z.object({
  account: Id,
  password_hash: z.string().nullable(),
  secret: z.instanceof(Buffer).nullable(),
  instant: z.number(),
})

export async function credentials(tx: Tx, email: string): Promise<z.output<typeof CredentialsRow> | undefined> {
  const [row] = await tx.rows(CredentialsRow, sql`select * from app.credentials(${email})`)
  return row
}

const StartedRow = z.object({ session: Id.nullable() })

/**
 * Opens a session with its first refresh token. Returns the id of the session; throws `wrong-credentials` if the password
 * is not the verified one any more, or the account not active, and `wrong-second-factor` if the code was used.
 */
export async function start(
  tx: Tx,
  account: string,
  verifiedHash: string,
  refreshHash: Buffer,
  proof: Proof,
): Promise<string> {
  const [row] = await tx.rows(
    StartedRow,
    sql`select app.start_session(${account}, ${verifiedHash}, ${refreshHash}, ${used(proof)}) as session`,
  )
  if (!row?.session) throw new Problem('wrong-credentials')
  return row.session
}

const RefreshedRow = z.object({ session: Id.nullable(), account: Id, reused: z.boolean() })

/**
 * Replaces a refresh token by the next one. Returns its account and session; `session` is null if the token cannot be used,
 * both are null if it is unknown. `reused`: it was used before. `address`: a keyed hash of the caller's.
 */
export async function refresh(tx: Tx, hash: Buffer, nextHash: Buffer, address: Buffer) {
  const [row] = await tx.rows(RefreshedRow, sql`select * from app.refresh_session(${hash}, ${nextHash}, ${address})`)
  return row ?? { session: null, account: null, reused: false }
}

export const end = async (tx: Tx, which: 'current' | 'all'): Promise<null> => {
  const mine = which === 'current' ? sql`id = (app.actor() ->> 'session')::uuid` : sql`true`
  await tx.execute(
    sql`update sessions set revoked_at = app.now() where account_id = app.account() and revoked_at is null and ${mine}`,
  )
  return null
}

const CodeRow = z.object({ valid: z.boolean() })

/** Throws `code-not-valid` for a code that is unknown, expired or used. */
export async function requireCode(tx: Tx, code: string): Promise<void> {
  const [row] = await tx.rows(CodeRow, sql`select app.is_code(${hashOf(code)}) as valid`)
  if (!row?.valid) throw new Problem('code-not-valid')
}

export const enrol = (tx: Tx, code: string, passwordHash: string) =>
  tx.execute(sql`select app.enrol(${hashOf(code)}, ${passwordHash})`)

const PasswordRow = z.object({ hash: z.string().nullable() })

export async function ownPassword(tx: Tx): Promise<string | null> {
  const [row] = await tx.rows(PasswordRow, sql`select app.own_password() as hash`)
  return row?.hash ?? null
}

export const changePassword = (tx: Tx, verifiedHash: string, passwordHash: string) =>
  tx.execute(sql`select app.change_password(${verifiedHash}, ${passwordHash})`)

const MeRow = z.object({
  id: Id,
  email: z.string(),
  name: z.string(),
  roles: z.array(Role),
  org: Id,
  org_name: z.string(),
  kind: OrganisationKind,
  active: z.boolean(),
  required: z.boolean(),
  recovery_codes: z.int(),
})

export async function me(tx: Tx): Promise<Me> {
  const [row] = await tx.rows(
    MeRow,
    sql`
      select a.id, a.email, a.name, a.roles, o.id as org, o.name as org_name, o.kind, f.secret is not null as active,
        f.required, f.recovery_codes
      from accounts a join organisations o on o.id = a.organisation_id, app.own_factor() f where a.id = app.account()`,
  )
  if (!row) throw unauthorized()
  const { id, email, name, roles, org, org_name, kind, active, required, recovery_codes } = row
  const permissions = permissionsOf(officesOf(roles, kind))
  const secondFactor = { active, required, recoveryCodes: recovery_codes }
  return { id, email, name, roles, organisation: { id: org, name: org_name, kind }, permissions, secondFactor }
}
