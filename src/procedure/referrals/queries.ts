import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import * as cases from '../../casefile/cases/queries.ts'
import { faultsOfBasis, splitBasis } from '../../casefile/grants/basis.ts'
import type { Purpose } from '../../casefile/grants/contract.ts'
import { prepare, rowOf } from '../../casefile/grants/give.ts'
import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { mayBeChild, requireReached } from '../../casefile/zones/queries.ts'
import { party } from '../../people/organisations/queries.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { type SQL, sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { sealed } from '../../platform/db/sealed.ts'
import { invalid, notFound, stale } from '../../problem.ts'
import { faultsOfCodes } from '../../rules/reference/queries.ts'
import { refusedWith } from '../transitions/queries.ts'
import {
  type DecidedReferral,
  type NewDecision,
  type NewReferral,
  Referral,
  type ReferralBox,
  type ReferralQuery,
  ReferralState,
} from './contract.ts'

/** The counts by state stop at this number. */
const countedUpTo = 1_000

const currentState = sql`case when r.state = 'offered' and r.expires_at <= app.now() then 'expired' else r.state end`

const columns = sql`
  select r.id, r.kind, ${party('f')} as "from",
    ${party('t')} as "to", ${currentState} as state,
    c.case_id as "caseId", c.grant_id as "grantId",
    jsonb_build_object('regionCode', r.region_code, 'category', r.category, 'child', r.child, 'zones', to_jsonb(r.zones), 'purpose', r.purpose) as preview,
    ${sealed('offered.content')} as offered, app.rfc3339(r.offered_at) as "offeredAt",
    case when r.from_id = (select app.org()) then r.offered_by end as "offeredBy", r.expires_on as "expiresOn", app.rfc3339(r.expires_at) as "expiresAt",
    app.rfc3339(r.settled_at) as "settledAt", case when (select app.org()) = case r.state when 'recalled' then r.from_id else r.to_id end then r.settled_by end as "settledBy",
    r.reason, ${sealed('decided.content')} as decided, decided.decision as "decidedBy", app.decidable(r.id) as "allowedDecisions", r.version
  from referrals r join organisations f on f.id = r.from_id join organisations t on t.id = r.to_id
    left join lateral app.referred(r.id) c on true
    left join referral_texts offered on offered.referral_id = r.id and offered.decision = 'offer'
    left join lateral (select x.content, x.decision from referral_texts x where x.referral_id = r.id and x.decision not in ('offer', 'basis')
      order by x.decision in ('return', 'done') desc limit 1) decided on true`

const ReferralRow = Referral.omit({ message: true, note: true }).extend({
  offered: Sealed.nullable(),
  decided: Sealed.nullable(),
  decidedBy: z.string().nullable(),
})
const CountRow = z.object({ state: ReferralState, count: z.int() })

const opened =
  ({ keys }: Tx) =>
  ({ offered, decided, decidedBy, ...referral }: z.output<typeof ReferralRow>): Referral => ({
    ...referral,
    message: sealedColumns.referral.fields(keys, [referral.id, 'offer'], offered).message,
    note: sealedColumns.referral.fields(keys, [referral.id, decidedBy ?? ''], decided).note,
  })

/** Returns a page of the referrals to or from the caller's organisation, newest first, with counts by state. */
export async function box(tx: Tx, { box, state, kind, cursor, limit }: ReferralQuery): Promise<ReferralBox> {
  const mine = (alias: string): SQL =>
    sql.raw(`${alias}.${box === 'incoming' ? 'to_id' : 'from_id'} = (select app.org())`)
  const [rows, counts] = await Promise.all([
    tx.rows(
      ReferralRow,
      sql`
        ${columns} where ${mine('r')} and (${state ?? null}::text is null or ${currentState} = ${state ?? null})
          and (${kind ?? null}::text is null or r.kind = ${kind ?? null}) and r.id ${olderThan(cursor)}
        order by r.id desc limit ${limit + 1}`,
    ),
    tx.rows(
      CountRow,
      sql`
        select s.state, (select count(*)::int from (
          select from referrals r where ${mine('r')} and ${currentState} = s.state limit ${countedUpTo}) counted) as count
        from unnest(${sql.param([...ReferralState.options])}::text[]) s(state)`,
    ),
  ])
  return {
    ...pageOf(rows.map(opened(tx)), { limit }),
    counts: Object.fromEntries(counts.map(({ state, count }) => [state, count])) as ReferralBox['counts'],
  }
}

/** Returns a page of the referrals of a case that the caller may see, newest first. */
export async function ofCase(tx: Tx, caseId: string, { cursor, limit }: PageQuery): Promise<Page<Referral>> {
  const [, rows] = await Promise.all([
    requireReached(tx, caseId),
    tx.rows(
      ReferralRow,
      sql`
        ${columns} where r.id in (select app.referrals_of(${caseId})) and r.id ${olderThan(cursor)}
        order by r.id desc limit ${limit + 1}`,
    ),
  ])
  return pageOf(rows.map(opened(tx)), { limit })
}

export async function find(tx: Tx, id: string): Promise<Referral> {
  const [referral] = (await tx.rows(ReferralRow, sql`${columns} where r.id = ${id}`)).map(opened(tx))
  if (!referral) throw notFound()
  return referral
}

/** The purpose of the grant of a referral. */
function purposeOf({ kind, grant }: NewReferral): Purpose {
  if (grant?.purpose) return grant.purpose
  if (kind === 'submission') return 'status_determination'
  throw invalid([{ pointer: '#/grant/purpose', detail: 'Missing: this kind of referral needs a purpose' }])
}

/** Offers a case to another organisation. Returns the id of the referral. */
export async function offer(tx: Tx, caseId: string, version: number, given: NewReferral): Promise<string> {
  const { kind, to, grant, basis, message, expiresOn } = given
  const found = await cases.find(tx, caseId)
  if (found.version !== version) throw stale()
  const { identity } = found.person
  const [shared, child, faults] = await Promise.all([
    grant && prepare(tx, { ...grant, purpose: purposeOf(given), to }, identity, '#/grant'),
    !identity || mayBeChild(tx, identity),
    basis && identity ? faultsOfBasis(tx, basis, identity) : [],
  ])
  if (faults.length) throw invalid(faults)
  const newBasis = basis && splitBasis(basis)
  const id = randomUUIDv7()
  // The message is sealed by the key of the sender, what the person agreed to by the key of the file.
  const file = { caseId, file: true }
  const sealing = [
    sealedColumns.referral.sealFor(tx, { caseId }, [id, 'offer'], { message }),
    sealedColumns.event.sealFor(tx, file, [id], newBasis?.text ?? {}),
    shared ? sealedColumns.grant.sealFor(tx, file, [shared.id, 'given'], shared.typed) : null,
  ]
  const [offered, agreed, typed] = await Promise.all(sealing)
  const row = { id, kind, case_id: caseId, to_id: to, basis: newBasis?.facts, child, expires_on: expiresOn }
  await refusedWith(
    found,
    tx.execute(sql`
      select app.offer_referral(jsonb_populate_record(null::referrals, ${JSON.stringify(row)}::jsonb),
        ${offered}, ${agreed}, ${shared ? rowOf(shared.row) : null}, ${typed},
        ${shared?.born ?? null}::date, ${version})`),
  )
  return id
}

/** Decides a referral. The database checks whether the caller may. Returns its id. */
export async function decide(tx: Tx, id: string, version: number, given: NewDecision): Promise<string> {
  const { decision, reason, note } = given
  const faults = reason ? await faultsOfCodes(tx, [{ at: '#/reason', list: 'return_reason', code: reason }]) : []
  if (faults.length) throw invalid(faults)
  const text = await sealedColumns.referral.sealFor(tx, { referralId: id }, [id, decision], { note })
  await tx.execute(sql`select app.decide_referral(${id}, ${version}, ${decision}, ${reason ?? null}, ${text})`)
  return id
}

/** Returns a referral, and its case if that is open to the caller. */
export async function decided(tx: Tx, id: string): Promise<DecidedReferral> {
  const referral = await find(tx, id)
  return { ...referral, case: referral.caseId ? await cases.find(tx, referral.caseId) : null }
}
