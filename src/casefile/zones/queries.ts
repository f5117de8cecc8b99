import { z } from 'zod'
import { Colleague } from '../../people/accounts/contract.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Keys } from '../../platform/access/keys.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { asText, type Sealer, sealed, sealerFor } from '../../platform/db/sealed.ts'
import { Day, Id, Instant, Version } from '../../platform/http/contract.ts'
import { patched } from '../../platform/http/merge-patch.ts'
import { faults, invalid, notFound, Problem, stale } from '../../problem.ts'
import { faultsOfCodes } from '../../rules/reference/queries.ts'
import { columnOf, sealedColumns } from '../sealed-columns.ts'
import { birthYear, couldBeChild, latestBirth } from './birth.ts'
import { codesIn } from './codes.ts'
import { type Content, type CurrentZone, documents, Effect, type Person, type WrittenZone, Zone } from './contract.ts'
import { identifiersOf } from './identifiers.ts'
import type { Identity } from './identity.ts'
import { faultsBy, identityNotices, identityRefusals, noticesBy } from './rules.ts'

export type NewVersion = { caseId: string; zone: Zone; version: number; content: Content }

/** Returns the columns of an identity that are not sealed: what reports count by, and the identifiers of a search. */
export const identityRow = (keys: Keys, identity: Identity) => ({
  sex: identity.sex,
  birth_year: birthYear(identity.birth),
  identifiers: identifiersOf(keys, identity),
})

/** Writes versions of zones, sealed, with the identifiers of an identity. */
export async function write(tx: Tx, sealer: Sealer, versions: readonly NewVersion[]): Promise<void> {
  const rows = versions.map(({ caseId, zone, version, content }) => ({
    case_id: caseId,
    zone,
    version,
    content: asText(columnOf(zone).seal(sealer, [caseId, zone, version], content)),
    ...(zone === 'identity' ? identityRow(tx.keys, content as Identity) : { identifiers: [] }),
  }))
  const given = JSON.stringify(rows)
  await Promise.all([
    tx.execute(sql`
    insert into zone_versions (case_id, zone, version, content, sex, birth_year)
    select case_id, zone, version, content, sex, birth_year
    from jsonb_to_recordset(${given}::jsonb) as r(case_id uuid, zone zone, version int, content bytea, sex text, birth_year int)`),
    tx.execute(sql`
    insert into identifiers (case_id, version, kind, hmac)
    select case_id, version, i.kind, decode(i.hmac, 'hex')
    from jsonb_to_recordset(${given}::jsonb) as r(case_id uuid, version int, identifiers jsonb),
      jsonb_to_recordset(r.identifiers) as i(kind text, hmac text)`),
  ])
}

/**
 * The person as the view `looks` returns it: the newest document, sealed, of each zone open to the caller and not
 * erased.
 */
export const SealedPerson = z.partialRecord(Zone, Sealed.extend({ version: Version }))

export const personOf = (keys: Keys, caseId: string, kept: z.output<typeof SealedPerson> | null): Person =>
  Object.fromEntries(
    Zone.options.flatMap(zone => {
      const found = kept?.[zone]
      return found
        ? [[zone, { ...sealedColumns[zone].open(keys, [caseId, zone, found.version], found), version: found.version }]]
        : []
    }),
  )

const VersionRow = z.object({
  version: Version,
  writtenAt: Instant,
  writtenBy: Colleague.nullable(),
  content: Sealed.nullable(),
})

/** Returns the versions of a zone that the caller may see, newest first. */
export async function versions(tx: Tx, caseId: string, zone: Zone, limit?: number): Promise<WrittenZone[]> {
  const rows = await tx.rows(
    VersionRow,
    sql`
      select version, app.rfc3339(written_at) as "writtenAt", app.colleague(written_by) as "writtenBy", ${sealed('content')} as content
      from zone_versions
      where case_id = ${caseId} and zone = ${zone} order by version desc limit ${limit ?? null}`,
  )
  return rows.map(row => ({
    ...row,
    content: sealedColumns[zone].open(tx.keys, [caseId, zone, row.version], row.content),
  }))
}

export async function current(tx: Tx, caseId: string, zone: Zone): Promise<CurrentZone> {
  const [newest] = await versions(tx, caseId, zone, 1)
  if (!newest?.content) return { version: 0, writtenAt: null, writtenBy: null, content: null, ...newest, notices: [] }
  return { ...newest, notices: zone === 'identity' ? noticesBy(identityNotices, newest.content as Identity) : [] }
}

/** Throws `not-found` for a case of which no zone is open to the caller, as for one that does not exist. */
export async function requireReached(tx: Tx, caseId: string): Promise<void> {
  const [reached] = await tx.execute(sql`select from cases where id = ${caseId}`)
  if (!reached) throw notFound()
}

const OpenRow = z.object({ open: z.boolean() })

/** Throws `not-found` if the zone is not open to the caller, as for a case that does not exist. */
export async function requireOpen(tx: Tx, caseId: string, zone: Zone): Promise<void> {
  const [row] = await tx.rows(
    OpenRow,
    sql`select ${zone}::zone = any (app.open_zones(a)) as open from case_access a where a.case_id = ${caseId}`,
  )
  if (!row?.open) throw notFound()
}

const IdentityRow = z.object({ caseId: Id, version: Version, content: Sealed.nullable() })

/** Returns the newest identities of these cases, by their ids: those that are open to the caller and not erased. */
export async function identitiesOf(tx: Tx, cases: readonly string[]): Promise<Map<string, Identity>> {
  if (!cases.length) return new Map()
  const rows = await tx.rows(
    IdentityRow,
    sql`
      select distinct on (case_id) case_id as "caseId", version, ${sealed('content')} as content
      from zone_versions where case_id = any (${sql.param(cases)}::uuid[]) and zone = 'identity'
      order by case_id, version desc`,
  )
  return new Map(
    rows.flatMap(({ caseId, version, content }) =>
      content ? [[caseId, sealedColumns.identity.open(tx.keys, [caseId, 'identity', version], content)]] : [],
    ),
  )
}

const WritableRow = z.object({ own: z.boolean(), open: z.boolean(), registeredOn: Day })

const AdultsRow = z.object({ adults: Day })

/** Whether the person may have been under age on that day (default today). */
export async function mayBeChild(tx: Tx, { birth }: Identity, day?: string): Promise<boolean> {
  const [row] = await tx.rows(
    AdultsRow,
    sql`select (coalesce(${day ?? null}::date, app.today()) - app.term('majority'))::date::text as adults`,
  )
  return couldBeChild(birth, row?.adults ?? '')
}

/** Changes the grants of the case as the new content of a zone requires. Called before it is written: it locks the case. */
async function review(tx: Tx, { caseId, zone, content }: NewVersion): Promise<Effect[]> {
  const columns = sql`select grant_id as "grantId", effect, app.rfc3339(nullif(valid_until, 'infinity')) as "validUntil"`
  if (zone === 'identity') {
    const identity = content as Identity
    const child = await mayBeChild(tx, identity)
    const born = latestBirth(identity.birth) ?? null
    return tx.rows(Effect, sql`${columns} from app.review_representatives(${caseId}, ${born}::date, ${child})`)
  }
  if (zone === 'protection') {
    const { mustNotBeKnownTo = [] } = content as Content<'protection'>
    return tx.rows(Effect, sql`${columns} from app.review_states(${caseId}, ${sql.param(mustNotBeKnownTo)}::text[])`)
  }
  return []
}

/** Writes the next version of a zone after the one that the caller has read. */
export async function replace(tx: Tx, { version, ...next }: NewVersion): Promise<CurrentZone> {
  const [writable] = await tx.rows(
    WritableRow,
    sql`
      select owner_id = app.org() as own, state not in ('withdrawn', 'merged') as open, registered_on as "registeredOn"
      from cases where id = ${next.caseId}`,
  )
  if (!writable?.own) throw new Problem('forbidden', { detail: 'Only the owner of the case writes its zones' })
  if (!writable.open) throw new Problem('action-not-allowed')
  const faults = await faultsOfCodes(tx, codesIn(next.zone, next.content))
  if (next.zone === 'identity') {
    const { registeredOn } = writable
    faults.push(...faultsBy(identityRefusals, { identity: next.content as Identity, registeredOn }))
  }
  if (faults.length) throw invalid(faults)
  const { caseId } = next
  const written = { ...next, version: version + 1 }
  const effects = await review(tx, written)
  await write(tx, await sealerFor(tx, { caseId, file: true }), [written])
  return { ...(await current(tx, next.caseId, next.zone)), effects }
}

type Patch = Omit<NewVersion, 'content'> & { patch: Record<string, unknown> }

/** Writes the next version of a zone: the one that the caller has read, changed by a JSON Merge Patch. */
export async function patch(tx: Tx, { patch, ...next }: Patch): Promise<CurrentZone> {
  const before = await current(tx, next.caseId, next.zone)
  if (before.version !== next.version) throw stale()
  const changed = documents[next.zone].safeParse(patched(before.content ?? {}, patch))
  if (!changed.success) throw invalid(faults(changed.error))
  return replace(tx, { ...next, content: changed.data })
}
