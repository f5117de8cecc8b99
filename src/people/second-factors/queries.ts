import { z } from 'zod'
import { Role } from '../../platform/access/permissions.ts'
import type { Tx } from '../../platform/db/database.ts'
import { type SQL, sql } from '../../platform/db/drizzle.ts'
import { notFound, unauthorized } from '../../problem.ts'
import type { SecondFactorRule } from './contract.ts'
import type { Proof } from './policy.ts'

const OwnRow = z.object({
  account: z.uuid(),
  email: z.string(),
  password_hash: z.string().nullable(),
  secret: z.instanceof(Buffer).nullable(),
  offered: z.instanceof(Buffer).nullable(),
  instant: z.number(),
})
export type Own = z.output<typeof OwnRow>

/** What the caller's account has to sign in with. */
export async function own(tx: Tx): Promise<Own> {
  const [row] = await tx.rows(
    OwnRow,
    sql`
      select a.id as account, a.email, f.password_hash, f.secret, f.offered, f.instant
      from accounts a, app.own_factor() f where a.id = app.account()`,
  )
  if (!row) throw unauthorized()
  return row
}

/** The arguments of the functions that use up a code. */
export const used = ({ secret, step, recovery }: Proof): SQL => sql`${secret}, ${step}, ${recovery}`

const listOf = (hashes: readonly Buffer[]) =>
  sql`array[${sql.join(
    hashes.map(hash => sql`${hash}::bytea`),
    sql`, `,
  )}]`

export const offer = (tx: Tx, verifiedHash: string, offered: Buffer, proof: Proof) =>
  tx.execute(sql`select app.offer_factor(${verifiedHash}, ${offered}, ${used(proof)})`)

/** The proof: a code of the offered secret. Throws `no-second-factor` if none is offered. */
export const confirm = (tx: Tx, verifiedHash: string, codes: readonly Buffer[], { secret, step }: Proof) =>
  tx.execute(sql`select app.confirm_factor(${verifiedHash}, ${secret}, ${step}, ${listOf(codes)})`)

export const renewCodes = (tx: Tx, verifiedHash: string, codes: readonly Buffer[], proof: Proof) =>
  tx.execute(sql`select app.renew_codes(${verifiedHash}, ${listOf(codes)}, ${used(proof)})`)

export const remove = (tx: Tx, verifiedHash: string, proof: Proof) =>
  tx.execute(sql`select app.remove_factor(${verifiedHash}, ${used(proof)})`)

const RuleRow = z.object({ required: z.array(Role) })

/** Throws `not-found` for an organisation whose accounts the caller does not manage. */
export async function rule(tx: Tx, organisation: string): Promise<SecondFactorRule> {
  const [row] = await tx.rows(
    RuleRow,
    sql`select second_factor_roles as required from organisations where id = ${organisation} and app.manages(id)`,
  )
  if (!row) throw notFound()
  return row
}

export async function setRule(tx: Tx, organisation: string, { required }: SecondFactorRule): Promise<SecondFactorRule> {
  const roles = [...new Set(required)].sort()
  await tx.execute(sql`select app.require_factor(${organisation}, ${sql.param(roles)}::text[])`)
  return { required: roles }
}
