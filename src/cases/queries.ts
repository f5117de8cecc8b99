import { randomUUIDv7 } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Actor } from '../access/actor.ts'
import type { Keys } from '../access/keys.ts'
import type { Tx } from '../db/database.ts'
import { among } from '../db/filter.ts'
import { type Page, pageOf } from '../db/page.ts'
import { invalid, notFound } from '../problem.ts'
import { unknownCodes } from '../reference/queries.ts'
import { Zone } from '../zones/contract.ts'
import * as zones from '../zones/queries.ts'
import type { Case, CaseEvent, CaseIndex, CaseQuery, NewCase } from './contract.ts'
import { append } from './events.ts'
import { allowedActions, type Relation } from './policy.ts'

const party = (alias: string) =>
  sql.raw(`case when ${alias}.id is not null
  then jsonb_build_object('id', ${alias}.id, 'name', ${alias}.name, 'kind', ${alias}.kind) end`)

const columns = sql`c.id, c.number, c.campaign_id as "campaignId", c.state, c.outcome, c.region_code as "regionCode", c.category,
  c.causes, ${party('o')} as owner, ${party('h')} as handler, c.assignee_id as "assigneeId",
  c.registered_on as "registeredOn", app.rfc3339(c.updated_at) as "updatedAt", c.version`
const parties = sql`join organisations o on o.id = c.owner_id left join organisations h on h.id = c.handler_id`

/** The newest cases first, of those that are open to the caller. */
export async function list(tx: Tx, query: CaseQuery): Promise<Page<CaseIndex>> {
  const { cursor, limit } = query
  const rows = await tx.execute<CaseIndex>(sql`
    with page as (
      select c.* from (select distinct case_id from open_grants) g join cases c on c.id = g.case_id
      where (${cursor ?? null}::uuid is null or c.id < ${cursor ?? null}::uuid)
        ${among(sql`c.state`, query.state)} ${among(sql`c.outcome`, query.outcome)} ${among(sql`c.region_code`, query.region)}
        ${among(sql`c.category`, query.category)} ${among(sql`c.campaign_id`, query.campaign)} ${among(sql`c.owner_id`, query.owner)}
      order by c.id desc limit ${limit + 1})
    select ${columns} from page c ${parties} order by c.id desc`)
  return pageOf(rows, { limit })
}

/** The case as far as it is open to the caller. A case that is not, and one that never was, are the same. */
export async function find(tx: Tx, id: string): Promise<Case> {
  const [[row], { identity, zones: open }, actor] = await Promise.all([
    tx.execute<CaseIndex>(sql`select ${columns} from cases c ${parties} where c.id = ${id}`),
    zones.open(tx, id),
    tx.actor,
  ])
  if (!row) throw notFound()
  return {
    ...row,
    person: identity ? { identity } : {},
    withheld: Zone.options.filter(zone => !open.includes(zone)),
    allowedActions: allowedActions(row.state, relationsOf(actor, row)),
  }
}

const relationsOf = ({ organisation }: Actor, { owner, handler }: CaseIndex): Relation[] => [
  ...(owner.id === organisation ? (['owner'] as const) : []),
  ...(handler?.id === organisation ? (['handler'] as const) : []),
]

export async function events(tx: Tx, id: string): Promise<{ items: CaseEvent[] }> {
  const items = await tx.execute<CaseEvent>(sql`
    select e.id, e.action, nullif(e.from_state, '') as "fromState", e.to_state as "toState", e.occurred_on as "occurredOn",
      app.rfc3339(e.recorded_at) as "recordedAt", ${party('o')} as organisation, e.job_id is not null as imported
    from case_events e join organisations o on o.id = e.organisation_id where e.case_id = ${id} order by e.occurred_on, e.id`)
  if (!items.length) throw notFound()
  return { items }
}

const byConsent = ['ngo', 'iom']

/** Registers the person: the first event, which opens the case to its owner, and what is known about them. */
export async function register(tx: Tx, given: NewCase, keys: Keys): Promise<string> {
  const { kind, organisation } = await tx.actor
  const { basis, causes, category, regionCode, registeredOn } = given
  if (byConsent.includes(kind) !== (basis.kind === 'consent'))
    throw invalid([{ pointer: '#/basis/kind', detail: 'An authority registers by statute, everybody else by consent' }])
  const unknown = await unknownCodes(tx, [
    { at: '#/category', list: 'category', code: category },
    { at: '#/regionCode', list: 'region', code: regionCode, on: registeredOn },
    ...causes.map((code, i) => ({ at: `#/causes/${i}`, list: 'cause', code })),
    ...(basis.kind === 'statute'
      ? [{ at: '#/basis/legalReference', list: 'legal_basis', code: basis.legalReference }]
      : []),
  ])
  if (unknown.length) throw invalid(unknown.map(({ at, detail }) => ({ pointer: at, detail })))
  const id = randomUUIDv7()
  const facts = {
    campaign: given.campaignId,
    region: regionCode,
    category,
    causes,
    basis,
    externalHmac: given.externalId && externalHmac(keys, organisation, given.externalId),
  }
  await append(tx, [{ case_id: id, action: 'register', occurred_on: registeredOn, facts }])
  await zones.writeIdentities(tx, [{ caseId: id, identity: given.person.identity }])
  return id
}

/** An owner's own number of a case, found again but not read: hexadecimal. */
export const externalHmac = ({ hash }: Keys, owner: string, externalId: string) =>
  hash('external-id', `${owner}:${externalId}`).toString('hex')
