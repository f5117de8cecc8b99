import type { z } from 'zod'
import { party } from '../../people/organisations/queries.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { sealed } from '../../platform/db/sealed.ts'
import { notFound } from '../../problem.ts'
import { sealedColumns } from '../sealed-columns.ts'
import { requireReached } from '../zones/queries.ts'
import { Grant, type GrantQuery, type Revocation, RevokedGrant } from './contract.ts'

const columns = sql`
  select g.id, g.case_id as "caseId", ${party('f')} as "from",
    ${party('r')} as "to", g.purpose, g.zones::text[] as zones, g.basis,
    g.legal_reference as "legalReference", g.method, g.language, g.form_version as "formVersion", g.representative,
    g.onward, g.states, g.publication, g.parent_id as "parentId", app.grant_state(g) as state,
    case when g.owner_id = (select app.org()) then g.suspended_for else '{}' end as "suspendedFor",
    app.rfc3339(g.given_at) as "givenAt", app.rfc3339(g.opened_at) as "openedAt",
    app.rfc3339(nullif(g.valid_until, 'infinity')) as "validUntil", app.rfc3339(g.confirmed_at) as "confirmedAt",
    app.rfc3339(g.closed_at) as "closedAt", g.closed_reason as "closedReason", app.rfc3339(g.acknowledged_at) as "acknowledgedAt",
    ${sealed('given.content')} as given, ${sealed('closed.content')} as closed,
    array_remove(array[
      case when (select app.org()) in (g.owner_id, g.giver_id) and g.basis <> 'statute' and g.recipient_id <> g.owner_id
        and app.grant_state(g) in ('offered', 'suspended', 'open') then 'revoke' end,
      case when g.recipient_id = (select app.org()) and g.closed_reason = 'revoked' and g.opened_at is not null
        and g.acknowledged_at is null then 'acknowledge' end,
      case when g.owner_id = (select app.org()) and g.basis = 'vital_interest' and g.confirmed_at is null
        and app.grant_state(g) = 'open' and app.is_second_person(g.given_by, false) then 'confirm' end], null) as "allowedActions",
    g.version
  from grants g join organisations f on f.id = g.giver_id join organisations r on r.id = g.recipient_id
    left join grant_texts given on given.grant_id = g.id and given.occasion = 'given'
    left join grant_texts closed on closed.grant_id = g.id and closed.occasion = 'closed'`

const GrantRow = Grant.omit({ particulars: true }).extend({ given: Sealed.nullable(), closed: Sealed.nullable() })

const opened =
  ({ keys }: Tx) =>
  ({ given, closed, ...grant }: z.output<typeof GrantRow>): Grant => {
    const atGiving = sealedColumns.grant.open(keys, [grant.id, 'given'], given)
    const atClosing = sealedColumns.grant.open(keys, [grant.id, 'closed'], closed)
    return { ...grant, particulars: atGiving || atClosing ? { ...atGiving, ...atClosing } : null }
  }

/** Returns a page of the grants of a case that the caller may see, newest first: the owner sees all of them. */
export async function ofCase(tx: Tx, caseId: string, { cursor, limit }: PageQuery): Promise<Page<Grant>> {
  const [, rows] = await Promise.all([
    requireReached(tx, caseId),
    tx.rows(
      GrantRow,
      sql`${columns} where g.case_id = ${caseId} and g.id ${olderThan(cursor)} order by g.id desc limit ${limit + 1}`,
    ),
  ])
  return pageOf(rows.map(opened(tx)), { limit })
}

/** Returns a page of the grants that the caller's organisation gave or received, newest first. */
export async function list(tx: Tx, { box, state, basis, cursor, limit }: GrantQuery): Promise<Page<Grant>> {
  const rows = await tx.rows(
    GrantRow,
    sql`
      ${columns} where g.owner_id <> g.recipient_id
        and ${box === 'given' ? sql`g.giver_id = app.org()` : box === 'received' ? sql`g.recipient_id = app.org()` : sql`app.org() in (g.giver_id, g.recipient_id)`}
        and (${state ?? null}::text is null or app.grant_state(g) = ${state ?? null}) and (${basis ?? null}::basis is null or g.basis = ${basis ?? null})
        and g.id ${olderThan(cursor)} order by g.id desc limit ${limit + 1}`,
  )
  return pageOf(rows.map(opened(tx)), { limit })
}

export async function find(tx: Tx, id: string): Promise<Grant> {
  const [grant] = (await tx.rows(GrantRow, sql`${columns} where g.id = ${id}`)).map(opened(tx))
  if (!grant) throw notFound()
  return grant
}

/** Closes a grant at once, because the person withdrew their consent. Returns it with what else the recipient can see. */
export async function revoke(tx: Tx, id: string, version: number, { reason }: Revocation): Promise<RevokedGrant> {
  const found = await find(tx, id)
  // A caller who may not revoke the grant may lack access to the case too; the database decides which problem it is.
  const text =
    reason !== undefined && found.allowedActions.includes('revoke')
      ? await sealedColumns.grant.sealFor(tx, { caseId: found.caseId, file: true }, [id, 'closed'], {
          revocation: reason,
        })
      : null
  await tx.execute(sql`select app.revoke_grant(${id}, ${version}, ${text})`)
  const [grant, stillOpen] = await Promise.all([
    find(tx, id),
    tx.rows(
      RevokedGrant.shape.stillOpen.element,
      sql`
        select id, purpose, zones::text[] as zones, basis, app.rfc3339(nullif(valid_until, 'infinity')) as "validUntil"
        from grants g where case_id = ${found.caseId} and recipient_id = ${found.to.id} and app.grant_state(g) = 'open'
        order by id`,
    ),
  ])
  return { ...grant, stillOpen }
}

export async function acknowledge(tx: Tx, id: string, version: number): Promise<Grant> {
  await tx.execute(sql`select app.acknowledge_grant(${id}, ${version})`)
  return find(tx, id)
}

export async function confirm(tx: Tx, id: string, version: number): Promise<Grant> {
  await tx.execute(sql`select app.confirm_grant(${id}, ${version})`)
  return find(tx, id)
}
