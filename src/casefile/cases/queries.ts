import { z } from 'zod'
import type { Keys } from '../../platform/access/keys.ts'
import type { Tx } from '../../platform/db/database.ts'
import { type SQL, sql } from '../../platform/db/drizzle.ts'
import { among } from '../../platform/db/filter.ts'
import { type Page, pageOf, pageOfChanges, startOf } from '../../platform/db/page.ts'
import type { Asking } from '../../platform/http/authenticate.ts'
import { Instant } from '../../platform/http/contract.ts'
import { invalid, notFound, Problem, stale } from '../../problem.ts'
import { Relation } from '../../rules/lifecycle/contract.ts'
import { allowedActions, type Position } from '../../rules/lifecycle/position.ts'
import { Zone } from '../zones/contract.ts'
import * as zones from '../zones/queries.ts'
import { identityNotices, noticesBy } from '../zones/rules.ts'
import { Assignments, Case, CaseIndex, type CaseList, type CaseQuery } from './contract.ts'

/** SQL of the filters of a query, without the states: a `case_filter`, or null if there are none. */
function filterOf({ outcome, region, category, campaign, owner, handler, assignee, overdue, flagged }: CaseQuery): SQL {
  const filter = JSON.stringify({ outcome, region, category, campaign, owner, handler, assignee, overdue, flagged })
  return sql`jsonb_populate_record(null::case_filter, ${filter === '{}' ? null : filter}::jsonb)`
}

/** Returns a page of the cases open to the caller, newest first, in one statement, which is the whole transaction. */
export async function list(asking: Asking, query: CaseQuery): Promise<Page<CaseIndex>> {
  const { state, cursor, limit } = query
  const states = state && [...new Set(state)]
  const rows = await asking.ask(
    CaseIndex,
    caller => sql`select * from app.list_cases(${caller}, ${sql.param(states ?? null)}, ${filterOf(query)},
      ${startOf(cursor as string | undefined)}, ${limit})`,
  )
  return pageOf(rows, { limit })
}

const HorizonRow = z.object({ horizon: Instant })
const ChangeRow = CaseIndex.extend({ at: z.string() })

/**
 * Returns what changed for the caller, oldest change first, up to the horizon: no transaction can still add a change
 * before it.
 */
export async function changes(tx: Tx, query: CaseQuery, since: string): Promise<CaseList> {
  const { state, cursor, limit } = query
  const { at, id } = typeof cursor === 'object' ? cursor : { at: null, id: null }
  const [row] = await tx.rows(HorizonRow, sql`select app.rfc3339(app.horizon()) as horizon`)
  if (!row) throw new Error('app.horizon returned no row')
  const rows = await tx.rows(
    ChangeRow,
    sql`
      select i.*, (extract(epoch from p.updated_at) * 1000000)::bigint::text as at from (
        select a.case_id, a.updated_at from case_access a
        where a.updated_at >= ${since}::timestamptz and a.updated_at < ${row.horizon}::timestamptz
          and (${at}::bigint is null or (a.updated_at, a.case_id) > ('epoch'::timestamptz + ${at}::bigint * interval '1 microsecond', ${id}::uuid))
          ${among(sql`a.state`, state)} and exists (select from cases c where c.id = a.case_id and app.is_asked(c, ${filterOf(query)}))
        order by a.updated_at, a.case_id limit ${limit + 1}) p join case_index i on i.id = p.case_id order by p.updated_at, p.case_id`,
  )
  return { ...pageOfChanges(rows, { limit }), syncedThrough: row.horizon }
}

const LookRow = CaseIndex.extend({
  relations: z.array(Relation),
  needsDocument: z.boolean().nullable(),
  final: z.boolean(),
  toHandOver: z.boolean(),
  open: z.array(Zone),
  basis: Case.shape.basis,
  person: zones.SealedPerson.nullable(),
})

/** Returns the case with the zones open to the caller. Throws `not-found` if it is not open, as if it did not exist. */
export const find = async (tx: Tx, id: string): Promise<Case> => (await look(tx, id)).case

/** The same, with what decides which steps the caller can take. */
export async function look(tx: Tx, id: string): Promise<{ case: Case; position: Position }> {
  const [row] = await tx.rows(LookRow, sql`select * from looks where id = ${id}`)
  if (!row) throw notFound()
  return seen(tx.keys, row)
}

/** The same as `find` in one statement, which is the whole transaction: this is the most frequent read. */
export async function read(asking: Asking, id: string): Promise<Case> {
  const [row] = await asking.ask(LookRow, caller => sql`select * from app.read_case(${caller}, ${id})`)
  if (!row) throw notFound()
  return seen(asking.keys, row).case
}

function seen(
  keys: Keys,
  { open, person, relations, needsDocument, final, toHandOver, ...index }: z.output<typeof LookRow>,
) {
  const position: Position = { state: index.state, relations, needsDocument, final, toHandOver }
  const withheld = Zone.options.filter(zone => !open.includes(zone))
  const opened = zones.personOf(keys, index.id, person)
  return {
    case: {
      ...index,
      person: opened,
      withheld,
      notices: opened.identity ? noticesBy(identityNotices, opened.identity, '#/person/identity') : [],
      allowedActions: allowedActions(position),
    },
    position,
  }
}

/** Returns the assignees of the case while the caller's organisation owned it, newest first. */
export async function assignments(tx: Tx, id: string): Promise<Assignments> {
  const [, items] = await Promise.all([
    zones.requireReached(tx, id),
    tx.rows(
      Assignments.shape.items.element,
      sql`
        select assignee_id as "assigneeId", assigned_by as "assignedBy", app.rfc3339(assigned_at) as "assignedAt"
        from assignments where case_id = ${id} order by id desc`,
    ),
  ])
  return { items }
}

/** Assigns the case to another account of its owner. */
export async function assign(tx: Tx, id: string, version: number, assigneeId: string): Promise<Case> {
  const [found, { organisation }] = await Promise.all([find(tx, id), tx.actor])
  if (found.owner.id !== organisation)
    throw new Problem('forbidden', { detail: 'Only the owner of the case assigns it' })
  if (found.erasedAt) throw new Problem('file-erased')
  const [active] = await tx.execute(
    sql`select from accounts where id = ${assigneeId} and organisation_id = app.org() and status = 'active'`,
  )
  if (!active) throw invalid([{ pointer: '#/assigneeId', detail: 'Expected an active account of your organisation' }])
  if (found.version !== version) throw stale()
  const rows = await tx.execute(
    sql`update cases c set assignee_id = ${assigneeId} where id = ${id} and app.version_of(c) = ${version} returning id`,
  )
  if (!rows.length) throw stale()
  return find(tx, id)
}
