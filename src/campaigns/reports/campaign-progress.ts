import { z } from 'zod'
import { CaseIndex } from '../../casefile/cases/contract.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { type Page, PageQuery, pageOf } from '../../platform/db/page.ts'
import { Day, Id, Instant, Label } from '../../platform/http/contract.ts'
import { Definition, RegionMap, Scope, times } from './contract.ts'
import { type Report, requireScope, timesOf, worksOnCases } from './report.ts'

const definition = {
  id: 'campaign-progress',
  version: 3,
  text: [
    'Registered: cases of the campaign whose registration occurred by the end of asOf. Documented: those among them with a',
    'document recorded as given by then, whether or not it has expired since. Both count what was on record at',
    'knownAt, without events annulled by then. Groups: the newest value of each fact that was on record at knownAt.',
  ].join(' '),
}

export const Dimension = z.enum(['region', 'outcome', 'category', 'sex', 'ageGroup', 'month', 'division'])
export type Dimension = z.infer<typeof Dimension>

const view = {
  campaignId: Id,
  ...times,
  map: RegionMap.default('recorded').describe(
    '`recorded`: regions as they were on the day. `joined`: regions that were once one region are counted as one.',
  ),
  groupBy: Dimension.optional(),
}
const Query = z.strictObject({ ...view, scope: Scope.default('mine') })
type Query = z.output<typeof Query>

const CasesQuery = PageQuery.extend({
  ...view,
  scope: z.literal('mine').default('mine').describe('The cases that are open to you.'),
  group: z.string().max(60).optional().describe('The key of one group; without it, all groups.'),
  measure: z.enum(['registered', 'documented']).default('registered'),
})
type CasesQuery = z.output<typeof CasesQuery>

const Figures = {
  registered: z.int(),
  documented: z.int(),
  documentedShare: z.number().nullable().describe('Per cent, with two decimals; null if nobody was registered.'),
}

const CampaignProgress = z
  .object({
    definition: Definition,
    asOf: Day,
    knownAt: Instant.describe(
      'The instant at which the figures were on record. The same instant always returns the same figures.',
    ),
    scope: Scope,
    map: RegionMap,
    totals: z.object(Figures).describe('Exact in both scopes.'),
    groups: z
      .array(z.object({ key: z.string(), label: Label, ...Figures }))
      .describe('Sorted by key. They add up to the totals. Pooled groups come last, under the key `other`.'),
  })
  .meta({ id: 'CampaignProgress' })
type CampaignProgress = z.infer<typeof CampaignProgress>

/** The code list with the labels of a dimension. */
const lists: Partial<Record<Dimension, string>> = {
  outcome: 'outcome',
  category: 'category',
  sex: 'sex',
  ageGroup: 'age_group',
}

/** The row of the totals has neither key nor label. */
const FigureRow = z.object({
  key: z.string().nullable(),
  label: Label.nullable(),
  registered: z.int(),
  documented: z.int(),
})

async function run(tx: Tx, query: Query): Promise<CampaignProgress> {
  const { campaignId, groupBy, map, scope } = query
  const [times] = await Promise.all([timesOf(tx, query), requireScope(tx, scope)])
  const [totals, ...groups] = await tx.rows(
    FigureRow,
    sql`
      select f.key, f.registered, f.documented, case
        when r.code is not null then jsonb_build_object('en', coalesce(n.label_en, r.label_en), 'ru', coalesce(n.label_ru, r.label_ru),
          'kk', coalesce(n.label_kk, r.label_kk))
        when l.code is not null then jsonb_build_object('en', l.label_en, 'ru', l.label_ru, 'kk', l.label_kk)
        when f.key is not null then jsonb_build_object('en', coalesce(o.name, f.key), 'ru', coalesce(o.name, f.key),
          'kk', coalesce(o.name, f.key)) end as label
      from (select *, ${scope === 'campaign'} and key = 'other' as pooled
          from app.campaign_figures(${campaignId}, ${times.asOf}::date, ${times.knownAt}::timestamptz, ${scope}, ${groupBy ?? null}, ${map})) f
        left join regions r on ${groupBy === 'region'} and r.code = f.key
        left join former_region_names n on n.code = r.code and n.valid @> ${times.asOf}::date
        left join codes l on l.list = case when f.pooled then 'pooled_group' else ${(groupBy && lists[groupBy]) ?? ''} end and l.code = f.key
        left join organisations o on ${groupBy === 'division'} and o.id::text = f.key
      order by f.key is not null, f.pooled, f.key`,
  )
  if (!totals) throw new Error('app.campaign_figures returned no row')
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

const withShare = ({ registered, documented }: Pick<z.output<typeof FigureRow>, 'registered' | 'documented'>) => ({
  registered,
  documented,
  documentedShare: registered ? Math.round((documented / registered) * 10_000) / 100 : null,
})

/** Returns a page of the cases behind a number, newest first, by the same SQL without the group-by. */
async function cases(tx: Tx, query: CasesQuery): Promise<Page<CaseIndex>> {
  const { campaignId, scope, groupBy, map, group, measure, limit, cursor } = query
  const [{ asOf, knownAt }] = await Promise.all([timesOf(tx, query), requireScope(tx, scope)])
  const rows = await tx.rows(
    CaseIndex,
    sql`
      with behind as (
        select * from app.campaign_cases(${campaignId}, ${asOf}::date, ${knownAt}::timestamptz, ${groupBy ?? null}, ${map},
          ${(groupBy && group) ?? null}, ${measure}, ${cursor ?? null}, ${limit + 1}) as b(id))
      select c.* from behind b join case_index c on c.id = b.id order by c.id desc`,
  )
  return pageOf(rows, { limit })
}

async function offers(tx: Tx) {
  const [[organised], mine] = await Promise.all([
    tx.execute(sql`select from campaigns where app.counts_all(organisation_id) limit 1`),
    worksOnCases(tx),
  ])
  const scopes = Scope.options.filter(scope => (scope === 'mine' ? mine : organised))
  return { scopes, maps: RegionMap.options, groupBy: Dimension.options }
}

/** Returns the rows of the CSV: one for the totals, and one for each group. */
const rows = ({ asOf, knownAt, scope, map, totals, groups }: CampaignProgress) =>
  [{ key: 'total', label: { en: 'Total' }, ...totals }, ...groups].map(({ key, label, ...figures }) => ({
    key,
    label: label.en,
    ...figures,
    ...{ asOf, knownAt, scope, map },
  }))

export const campaignProgress: Report<typeof Query, CampaignProgress, typeof CasesQuery> = {
  definition,
  operationId: 'reportCampaignProgress',
  summary: 'Counts the registered and documented persons of a campaign, as JSON or CSV (by the `Accept` header).',
  query: Query,
  reply: CampaignProgress,
  problems: ['not-found'],
  run,
  rows,
  offers,
  cases: {
    operationId: 'listCampaignCases',
    summary: 'Lists the cases behind a number of the report.',
    query: CasesQuery,
    run: cases,
  },
}
