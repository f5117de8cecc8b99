import { type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/database.ts'
import { among } from '../db/filter.ts'
import { type Change, olderThan, type Page, pageOf, pageOfChanges } from '../db/page.ts'
import { allowedActions, type Standing } from '../lifecycle/standing.ts'
import { party } from '../organisations/queries.ts'
import { invalid, notFound, Problem, stale } from '../problem.ts'
import { Zone } from '../zones/contract.ts'
import * as zones from '../zones/queries.ts'
import type { Assignments, Case, CaseIndex, CaseList, CaseQuery } from './contract.ts'

/** The index of cases `c`, with their parties `o` and `h`. */
export const columns = sql`c.id, c.number, c.campaign_id as "campaignId", c.state, c.outcome, c.region_code as "regionCode", c.category,
  c.causes, ${party('o')} as owner, ${party('h')} as handler, case when c.owner_id = (select app.org()) then c.assignee_id end as "assigneeId",
  c.registered_on as "registeredOn", case when c.waiting_for is not null then
    jsonb_build_object('waitingFor', c.waiting_for, 'since', c.waiting_since, 'dueOn', c.due_on) end as clock,
  app.rfc3339(c.updated_at) as "updatedAt", c.version`
export const parties = sql`join organisations o on o.id = c.owner_id left join organisations h on h.id = c.handler_id`

/** What a query asks of access `a` to cases `c`. */
function asked({
  state,
  outcome,
  region,
  category,
  campaign,
  owner,
  handler,
  assignee,
  overdue,
  flagged,
}: CaseQuery): SQL {
  return sql`true ${among(sql`a.state`, state)} ${among(sql`c.outcome`, outcome)} ${among(sql`c.region_code`, region)}
    ${among(sql`c.category`, category)} ${among(sql`c.campaign_id`, campaign)} ${among(sql`c.owner_id`, owner)}
    ${among(sql`c.handler_id`, handler)} ${among(sql`case when c.owner_id = (select app.org()) then c.assignee_id end`, assignee)}
    ${overdue === undefined ? sql`` : sql`and coalesce(c.due_on < app.today(), false) = ${overdue === 'true'}`}
    ${
      flagged === undefined
        ? sql``
        : sql`and ${flagged === 'true' ? sql`` : sql`not`} exists (
      select from flags f where f.case_id = c.id and f.organisation_id = (select app.org()) and f.cleared_at is null)`
    }`
}

/** Of the cases that stand open to the caller the newest, or what changed: by what is kept of the grants (`case_access`). */
export const list = (tx: Tx, query: CaseQuery): Promise<CaseList> =>
  query.updatedSince === undefined ? newest(tx, query) : changes(tx, query, query.updatedSince)

async function newest(tx: Tx, query: CaseQuery): Promise<Page<CaseIndex>> {
  const { cursor, limit, state } = query
  const newest = (of: SQL) => sql`
    select c.* from case_access a join cases c on c.id = a.case_id
    where a.case_id ${olderThan(cursor as string | undefined)} and ${of} order by a.case_id desc limit ${limit + 1}`
  // State by state, so that each is read in the order of its own index and no further than a page.
  const page = state
    ? sql`select p.* from unnest(${sql.param([...new Set(state)])}::text[]) s(state),
        lateral (${newest(sql`a.state = s.state and ${asked({ ...query, state: undefined })}`)}) p order by p.id desc limit ${limit + 1}`
    : newest(asked(query))
  const rows = await tx.execute<CaseIndex>(sql`select ${columns} from (${page}) c ${parties} order by c.id desc`)
  return pageOf(rows, { limit })
}

/** Only up to the horizon: below it nothing can appear any more, whoever has still to commit. */
async function changes(tx: Tx, query: CaseQuery, since: string): Promise<CaseList> {
  const { cursor, limit } = query
  const { at, id } = typeof cursor === 'object' ? cursor : { at: null, id: null }
  const [row] = await tx.execute<{ horizon: string }>(sql`select app.rfc3339(app.horizon()) as horizon`)
  if (!row) throw new Error('there is a horizon')
  const rows = await tx.execute<CaseIndex & Change>(sql`
    select ${columns}, (extract(epoch from c.changed_at) * 1000000)::bigint::text as at from (
      select c.*, a.updated_at as changed_at from case_access a join cases c on c.id = a.case_id
      where a.updated_at >= ${since}::timestamptz and a.updated_at < ${row.horizon}::timestamptz
        and (${at}::bigint is null or (a.updated_at, a.case_id) > ('epoch'::timestamptz + ${at}::bigint * interval '1 microsecond', ${id}::uuid))
        and ${asked(query)}
      order by a.updated_at, a.case_id limit ${limit + 1}) c ${parties} order by c.changed_at, c.id`)
  return { ...pageOfChanges(rows, { limit }), syncedThrough: row.horizon }
}

type Found = CaseIndex & Omit<Standing, 'state'> & { open: Zone[]; basis: Case['basis']; annullable: boolean }

/** The case as far as it stands open to the caller. One that does not, and one that never was, are the same. */
export const find = async (tx: Tx, id: string): Promise<Case> => (await look(tx, id)).case

/** The same, with where it stands for the caller. */
export async function look(tx: Tx, id: string): Promise<{ case: Case; standing: Standing }> {
  const [[row], person] = await Promise.all([
    tx.execute<Found>(sql`
      select ${columns}, app.relations((select app.org()), c.owner_id, c.handler_id) as relations, app.open_zones(c.id) as open,
        code.needs_document as "needsDocument", coalesce(c.final_on <= app.today(), true) as final,
        c.state = 'documented' and exists (select from documents d where d.case_id = c.id and not d.annulled and not exists (
          select from standing_events e where e.case_id = c.id and e.facts ->> 'document' = d.event_id::text)) as "toHandOver",
        exists (select from standing_events e where e.case_id = c.id and e.organisation_id = (select app.org()) and e.from_state <> ''
          and app.annullable(e)) as annullable,
        (select jsonb_build_object('kind', g.basis, 'method', g.method, 'language', g.language, 'formVersion', g.form_version,
            'legalReference', g.legal_reference, 'representative', g.representative)
          from open_grants g where g.case_id = c.id and g.purpose = 'case_management' and g.owner_id = g.recipient_id) as basis
      from cases c ${parties} left join codes code on code.list = 'outcome' and code.code = c.outcome where c.id = ${id}`),
    zones.read(tx, id),
  ])
  if (!row) throw notFound()
  const { open, annullable, relations, needsDocument, final, toHandOver, ...index } = row
  const standing: Standing = {
    state: index.state,
    relations: annullable ? [...relations, 'recorder'] : relations,
    needsDocument,
    final,
    toHandOver,
  }
  const withheld = Zone.options.filter(zone => !open.includes(zone))
  return { case: { ...index, person, withheld, allowedActions: allowedActions(standing) }, standing }
}

/** Refuses a case that does not stand open like one that never was. */
export async function requireReached(tx: Tx, id: string): Promise<void> {
  const [reached] = await tx.execute(sql`select from cases where id = ${id}`)
  if (!reached) throw notFound()
}

/** Whose hands the case was in while the caller's organisation owned it, the newest first. */
export async function assignments(tx: Tx, id: string): Promise<Assignments> {
  const [, items] = await Promise.all([
    requireReached(tx, id),
    tx.execute<Assignments['items'][number]>(sql`
      select assignee_id as "assigneeId", assigned_by as "assignedBy", app.rfc3339(assigned_at) as "assignedAt"
      from assignments where case_id = ${id} order by id desc`),
  ])
  return { items }
}

/** Gives the case into somebody else's hands within its owner. */
export async function assign(tx: Tx, id: string, version: number, assigneeId: string): Promise<Case> {
  const [found, { organisation }] = await Promise.all([find(tx, id), tx.actor])
  if (found.owner.id !== organisation) throw new Problem('forbidden', { detail: 'Only its owner assigns a case' })
  const [active] = await tx.execute(
    sql`select from accounts where id = ${assigneeId} and organisation_id = app.org() and status = 'active'`,
  )
  if (!active) throw invalid([{ pointer: '#/assigneeId', detail: 'No active account of your organisation' }])
  if (found.version !== version) throw stale()
  const rows = await tx.execute(
    sql`update cases set assignee_id = ${assigneeId} where id = ${id} and version = ${version} returning id`,
  )
  if (!rows.length) throw stale()
  return find(tx, id)
}
