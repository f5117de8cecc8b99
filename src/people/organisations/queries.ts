import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import type { OrganisationKind, Role } from '../../platform/access/permissions.ts'
import type { Tx } from '../../platform/db/database.ts'
import { eq, pgTable, type SQL, sql, text, uuid } from '../../platform/db/drizzle.ts'
import { among } from '../../platform/db/filter.ts'
import { newerThan, type Page, pageOf } from '../../platform/db/page.ts'
import { Id } from '../../platform/http/contract.ts'
import { notFound, stale } from '../../problem.ts'
import { type NewOrganisation, Organisation, type OrganisationChange, type OrganisationQuery } from './contract.ts'

const columns = sql`o.id, o.kind, o.name, o.short_name as "shortName", o.parent_id as "parentId", o.status, o.closing_until as "closingUntil", o.version,
  exists (select from installation i where i.custodian_id = o.id) as custodian,
  array(select region_code from coverage c where c.organisation_id = o.id order by 1) as regions`

/** SQL of a {@link Party}, by the alias of its `organisations` row in the statement; null if the row is missing. */
export const party = (alias: string): SQL =>
  sql.raw(
    `case when ${alias}.id is not null then jsonb_build_object('id', ${alias}.id, 'name', ${alias}.name, 'kind', ${alias}.kind) end`,
  )

export async function list(tx: Tx, { kind, region, cursor, limit }: OrganisationQuery): Promise<Page<Organisation>> {
  const rows = await tx.rows(
    Organisation,
    sql`
      select ${columns} from organisations o
      where o.id ${newerThan(cursor)} ${among(sql`o.kind`, kind)}
        and (${region === undefined} or exists (
          select from coverage c where c.organisation_id = o.id ${among(sql`c.region_code`, region)}))
      order by o.id limit ${limit + 1}`,
  )
  return pageOf(rows, { limit })
}

export async function find(tx: Tx, id: string): Promise<Organisation> {
  const [row] = await tx.rows(Organisation, sql`select ${columns} from organisations o where o.id = ${id}`)
  if (!row) throw notFound()
  return row
}

/** The role of the first account of an organisation. */
const firstRole: Record<OrganisationKind, Role> = {
  iom: 'supervisor',
  committee: 'supervisor',
  division: 'supervisor',
  ngo: 'supervisor',
  oversight: 'auditor',
  operator: 'administrator',
}

export async function found(
  tx: Tx,
  { kind, name, shortName, parentId, regions, first }: NewOrganisation,
  codeHash: Buffer,
): Promise<string> {
  const [id, account] = [randomUUIDv7(), randomUUIDv7()]
  await tx.execute(
    sql`insert into organisations (id, kind, parent_id, name, short_name) values (${id}, ${kind}, ${parentId}, ${name}, ${shortName})`,
  )
  await cover(tx, id, regions)
  await tx.execute(
    sql`select app.invite_first(${account}, ${id}, ${first.email}, ${first.name}, ${firstRole[kind]}, ${codeHash})`,
  )
  return id
}

export async function change(
  tx: Tx,
  id: string,
  version: number,
  { name, regions, status, custodian }: OrganisationChange,
): Promise<Organisation> {
  const rows = await tx.execute(sql`
    update organisations set name = coalesce(${name ?? null}, name), status = coalesce(${status ?? null}, status), version = version + 1
    where id = ${id} and version = ${version} returning id`)
  const changed = rows.length > 0
  if (changed && regions) {
    await tx.delete(coverage).where(eq(coverage.organisationId, id))
    await cover(tx, id, regions)
  }
  if (changed && custodian) await tx.execute(sql`select app.name_custodian(${id})`)
  const organisation = await find(tx, id)
  if (!changed) throw stale()
  return organisation
}

export const coverage = pgTable('coverage', {
  organisationId: uuid().notNull(),
  regionCode: text().notNull(),
})

async function cover(tx: Tx, organisationId: string, regions: readonly string[]): Promise<void> {
  if (regions.length) await tx.insert(coverage).values(regions.map(regionCode => ({ organisationId, regionCode })))
}

const DivisionRow = z.object({ short_name: z.string(), id: Id })

/** Returns the ids of the caller's organisation and of its divisions, by short name. */
export async function ownAndDivisions(tx: Tx): Promise<Map<string, string>> {
  const rows = await tx.rows(
    DivisionRow,
    sql`select short_name, id from organisations where id = app.org() or parent_id = app.org()`,
  )
  return new Map(rows.map(({ short_name, id }) => [short_name, id]))
}
