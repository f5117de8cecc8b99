import type { CaseIndex } from '../../casefile/cases/contract.ts'
import { allows, officesOf } from '../../platform/access/permissions.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { type Page, pageOf } from '../../platform/db/page.ts'
import { Problem } from '../../problem.ts'
import {
  type CampaignCasesQuery,
  type CampaignProgress,
  type CampaignProgressQuery,
  Dimension,
  RegionMap,
  type Reports,
  type Scope,
} from './contract.ts'

const definition = {
  id: 'campaign-progress',
  version: 2,
  text: [
    'Registered: cases of the campaign whose registration occurred by the end of asOf. Documented: those among them with a',
    'document recorded as given by then, whether or not it has expired since. Both as far as it was on record at knownAt;',
    'what was known to be entered by mistake does not count. Groups: the last word on each fact that was on record.',
  ].join(' '),
}

/** Whether the caller works on cases: coordinators and auditors count them, and are shown none. */
async function worksOnCases(tx: Tx): Promise<boolean> {
  const { roles, kind } = await tx.actor
  return officesOf(roles, kind).some(office => allows(office, 'cases:read'))
}

async function requireScope(tx: Tx, scope: Scope): Promise<void> {
  if (scope === 'mine' && !(await worksOnCases(tx))) throw new Problem('forbidden', { detail: 'Only scope=campaign' })
}

export async function list(tx: Tx): Promise<Reports> {
  const [[organised], mine] = await Promise.all([
    tx.execute(sql`select from campaigns where app.counts_all(organisation_id) limit 1`),
    worksOnCases(tx),
  ])
  const scopes: Scope[] = [...(mine ? (['mine'] as const) : []), ...(organised ? (['campaign'] as const) : [])]
  return {
    items: [{ name: definition.id, definition, scopes, maps: RegionMap.options, groupBy: Dimension.options }],
  }
}

/** The day and the instant that a report looks back from. */
type Times = { asOf: string; knownAt: string }

/** The instant up to which the record is complete is asked in a statement before the one that counts. */
async function timesOf(tx: Tx, { asOf, knownAt }: { [time in keyof Times]?: string | undefined }): Promise<Times> {
  const [row] = await tx.execute<Times & { settled: boolean }>(sql`
    with h as materialized (select app.horizon() as horizon)
    select coalesce(${asOf ?? null}, app.today()::text) as "asOf", app.rfc3339(coalesce(${knownAt ?? null}::timestamptz, horizon)) as "knownAt",
      coalesce(${knownAt ?? null}::timestamptz <= horizon, true) as settled from h`)
  if (!row?.settled)
    throw new Problem('not-settled-yet', { detail: 'What was on record at knownAt is not settled yet' })
  return row
}

/** The code list that the labels of a dimension stand in. */
const lists: Partial<Record<Dimension, string>> = {
  outcome: 'outcome',
  category: 'category',
  sex: 'sex',
  ageGroup: 'age_group',
}

type Row = {
  key: string | null
  label: CampaignProgress['groups'][number]['label'] | null
  registered: number
  documented: number
}

export async function campaignProgress(tx: Tx, query: CampaignProgressQuery): Promise<CampaignProgress> {
  const { campaignId, groupBy, map, scope } = query
  const [times] = await Promise.all([timesOf(tx, query), requireScope(tx, scope)])
  const [totals, ...groups] = await tx.execute<Row>(sql`
    select f.key, f.registered, f.documented, case
      when r.code is not null then jsonb_build_object('en', coalesce(n.label_en, r.label_en), 'ru', coalesce(n.label_ru, r.label_ru),
        'kk', coalesce(n.label_kk, r.label_kk))
      when l.code is not null then jsonb_build_object('en', l.label_en, 'ru', l.label_ru, 'kk', l.label_kk)
      else jsonb_build_object('en', coalesce(o.name, f.key), 'ru', coalesce(o.name, f.key), 'kk', coalesce(o.name, f.key)) end as label
    from (select *, ${scope === 'campaign'} and key = 'other' as pooled
        from app.campaign_figures(${campaignId}, ${times.asOf}::date, ${times.knownAt}::timestamptz, ${scope}, ${groupBy ?? null}, ${map})) f
      left join regions r on ${groupBy === 'region'} and r.code = f.key
      left join former_region_names n on n.code = r.code and n.valid @> ${times.asOf}::date
      left join codes l on l.list = case when f.pooled then 'pooled_group' else ${(groupBy && lists[groupBy]) ?? ''} end and l.code = f.key
      left join organisations o on ${groupBy === 'division'} and o.id::text = f.key
    order by f.key is not null, f.pooled, f.key`)
  if (!totals) throw new Error('a report has totals')
  return {
    definition,
    asOf: times.asOf,
    knownAt: times.knownAt,
    scope,
    map,
    totals: withShare(totals),
    groups: groupBy
      ? groups.map(row => ({ key: row.key ?? '', label: row.label ?? { en: '', ru: '', kk: '' }, ...withShare(row) }))
      : [],
  }
}

const withShare = ({ registered, documented }: Pick<Row, 'registered' | 'documented'>) => ({
  registered,
  documented,
  documentedShare: registered ? Math.round((documented / registered) * 10_000) / 100 : null,
})

/** The cases behind a number, the newest first: by the same SQL without the group-by, so exactly that many. */
export async function campaignCases(tx: Tx, query: CampaignCasesQuery): Promise<Page<CaseIndex>> {
  const { campaignId, scope, groupBy, map, group, measure, limit, cursor } = query
  const [{ asOf, knownAt }] = await Promise.all([timesOf(tx, query), requireScope(tx, scope)])
  const rows = await tx.execute<CaseIndex>(sql`
    with behind as (
      select * from app.campaign_cases(${campaignId}, ${asOf}::date, ${knownAt}::timestamptz, ${groupBy ?? null}, ${map},
        ${(groupBy && group) ?? null}, ${measure}, ${cursor ?? null}, ${limit + 1}) as b(id))
    select c.* from behind b join case_index c on c.id = b.id order by c.id desc`)
  return pageOf(rows, { limit })
}
