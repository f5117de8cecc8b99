import { randomUUIDv7 } from 'node:crypto'
import type { Tx } from '../../platform/db/database.ts'
import { date, pgTable, sql, text, uuid } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { notFound, Problem, stale } from '../../problem.ts'
import { Campaign, type CampaignChange, type NewCampaign } from './contract.ts'

const campaign = sql`select c.id, c.name, jsonb_build_object('id', o.id, 'name', o.name) as organisation,
  c.starts_on as "startsOn", c.ends_on as "endsOn", c.version
  from campaigns c join organisations o on o.id = c.organisation_id`

export async function list(tx: Tx, { cursor, limit }: PageQuery): Promise<Page<Campaign>> {
  const rows = await tx.rows(
    Campaign,
    sql`${campaign} where c.id ${olderThan(cursor)} order by c.id desc limit ${limit + 1}`,
  )
  return pageOf(rows, { limit })
}

export async function find(tx: Tx, id: string): Promise<Campaign> {
  const [row] = await tx.rows(Campaign, sql`${campaign} where c.id = ${id}`)
  if (!row) throw notFound()
  return row
}

export const campaigns = pgTable('campaigns', {
  id: uuid().notNull(),
  name: text().notNull(),
  startsOn: date().notNull(),
  endsOn: date(),
})

export async function create(tx: Tx, { name, startsOn, endsOn }: NewCampaign): Promise<string> {
  const id = randomUUIDv7()
  await tx.insert(campaigns).values({ id, name, startsOn, endsOn })
  return id
}

export async function change(
  tx: Tx,
  id: string,
  version: number,
  { name, startsOn, endsOn }: CampaignChange,
): Promise<Campaign> {
  const rows = await tx.execute(sql`
    update campaigns set name = coalesce(${name ?? null}, name), starts_on = coalesce(${startsOn ?? null}, starts_on),
      ends_on = coalesce(${endsOn ?? null}, ends_on), version = version + 1
    where id = ${id} and version = ${version} returning id`)
  const found = await find(tx, id)
  if (rows.length) return found
  const { organisation } = await tx.actor
  throw organisation === found.organisation.id ? stale() : new Problem('forbidden')
}
