import { type SQL, sql } from 'drizzle-orm'
import type { CaseIndex } from '../cases/contract.ts'
import { columns, parties } from '../cases/queries.ts'
import type { Tx } from '../db/database.ts'
import { type Page, pageOf } from '../db/page.ts'
import { Problem } from '../problem.ts'
import type { CampaignCasesQuery, CampaignProgress, CampaignProgressQuery, Dimension } from './contract.ts'

const definition = {
  id: 'campaign-progress',
  version: 2,
  text: [
    'Registered: cases of the campaign whose registration occurred by the end of asOf. Documented: those among them with a',
    'document recorded as given by then, whether or not it has expired since. Both as far as it was on record at knownAt;',
    'what was known to be entered by mistake does not count. Groups: the last word on each fact that was on record.',
  ].join(' '),
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

/** What a case is counted under: an expression over cases `c` of the report, and where its label stands. */
const dimensions: Record<Dimension, (query: Pick<CampaignProgressQuery, 'map'>, times: Times) => SQL> = {
  region: ({ map }) => (map === 'joined' ? sql`app.joined_region(c.region)` : sql`c.region`),
  outcome: () => sql`coalesce(c.outcome, 'none')`,
  category: () => sql`c.category`,
  sex: () => sql`coalesce(c.sex, 'unknown')`,
  ageGroup: (_, { asOf }) => sql`coalesce((
    select g.code from codes g where g.list = 'age_group' and extract(year from ${asOf}::date)::int - c.birth_year
      between split_part(g.code, '_', 2)::int and coalesce(nullif(split_part(g.code, '_', 3), '')::int, 999)
      and g.code <> 'unknown'), 'unknown')`,
  month: () => sql`to_char(c.registered_on, 'YYYY-MM')`,
  division: () => sql`c.owner_id::text`,
}
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

const counted = (campaign: string, { asOf, knownAt }: Times) =>
  sql`app.campaign_cases(${campaign}, ${asOf}::date, ${knownAt}::timestamptz) c`

export async function campaignProgress(tx: Tx, query: CampaignProgressQuery): Promise<CampaignProgress> {
  const { campaignId, groupBy, map, scope } = query
  const times = await timesOf(tx, query)
  const key = groupBy ? dimensions[groupBy](query, times) : sql`null::text`
  const [totals, ...groups] = await tx.execute<Row>(sql`
    with figures as (
      select k.key, grouping(k.key) as total, count(*)::int as registered, count(*) filter (where c.documented)::int as documented
      from ${counted(campaignId, times)}, lateral (select ${key} as key) k group by grouping sets ((), (k.key)))
    select f.key, f.registered, f.documented, case
      when r.code is not null then jsonb_build_object('en', coalesce(n.label_en, r.label_en), 'ru', coalesce(n.label_ru, r.label_ru),
        'kk', coalesce(n.label_kk, r.label_kk))
      when l.code is not null then jsonb_build_object('en', l.label_en, 'ru', l.label_ru, 'kk', l.label_kk)
      else jsonb_build_object('en', coalesce(o.name, f.key), 'ru', coalesce(o.name, f.key), 'kk', coalesce(o.name, f.key)) end as label
    from figures f
      left join regions r on ${groupBy === 'region'} and r.code = f.key
      left join former_region_names n on n.code = r.code and n.valid @> ${times.asOf}::date
      left join codes l on l.list = ${(groupBy && lists[groupBy]) ?? ''} and l.code = f.key
      left join organisations o on ${groupBy === 'division'} and o.id::text = f.key
    order by f.total desc, f.key`)
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
  const { campaignId, groupBy, group, measure, limit, cursor } = query
  const times = await timesOf(tx, query)
  const chosen = groupBy && group !== undefined ? sql`${dimensions[groupBy](query, times)} = ${group}` : sql`true`
  const rows = await tx.execute<CaseIndex>(sql`
    with behind as (
      select c.case_id from ${counted(campaignId, times)}
      where ${chosen} and ${measure === 'documented' ? sql`c.documented` : sql`true`}
        and (${cursor ?? null}::uuid is null or c.case_id < ${cursor ?? null}::uuid) order by c.case_id desc limit ${limit + 1})
    select ${columns} from behind b join cases c on c.id = b.case_id ${parties} order by c.id desc`)
  return pageOf(rows, { limit })
}
