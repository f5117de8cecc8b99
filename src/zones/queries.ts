import { sql } from 'drizzle-orm'
import type { Tx } from '../db/database.ts'
import { birthYear, Identity, type Zone } from './contract.ts'

/** The one place where what is known about a person is written. First versions only, of many cases at once. */
export async function writeIdentities(
  tx: Tx,
  identities: readonly { caseId: string; identity: Identity }[],
): Promise<void> {
  const rows = identities.map(({ caseId, identity }) => ({
    case_id: caseId,
    content: identity,
    sex: identity.sex,
    birth_year: birthYear(identity.birth),
  }))
  await tx.execute(sql`
    insert into zone_versions (case_id, zone, version, content, sex, birth_year)
    select case_id, 'identity', 1, content, sex, birth_year
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(case_id uuid, content jsonb, sex text, birth_year int)`)
}

export type Opened = { identity: (Identity & { version: number }) | undefined; zones: Zone[] }

/** The one place where it is read: the newest identity, if the caller may see it, and the zones that stand open. */
export async function open(tx: Tx, caseId: string): Promise<Opened> {
  const [row] = await tx.execute<{ version: number | null; content: unknown; zones: Zone[] }>(sql`
    select z.version, z.content,
      (select coalesce(jsonb_agg(distinct zone), '[]') from open_grants g, unnest(g.zones) zone where g.case_id = ${caseId}) as zones
    from (select) nothing left join lateral (
      select version, content from zone_versions where case_id = ${caseId} and zone = 'identity' order by version desc limit 1) z on true`)
  const identity = row?.version ? { ...Identity.parse(row.content), version: row.version } : undefined
  return { identity, zones: row?.zones ?? [] }
}
