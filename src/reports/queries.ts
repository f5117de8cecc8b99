import { sql } from 'drizzle-orm'
import type { Tx } from '../db/database.ts'
import type { CampaignProgress, CampaignProgressQuery } from './contract.ts'

const definition = {
  id: 'campaign-progress',
  version: 1,
  text: 'Registered: cases of the campaign whose registration occurred by asOf. Documented: those among them with a document recorded as handed out by then. Both as far as it was on record at knownAt.',
}

type Row = {
  key: string | null
  label: CampaignProgress['groups'][number]['label']
  registered: number
  documented: number
  asOf: string
}

/** The instant up to which the record is complete: asked in a statement before the one that counts. */
async function horizon(tx: Tx): Promise<string> {
  const [row] = await tx.execute<{ horizon: string }>(sql`select app.horizon()::text as horizon`)
  return row?.horizon ?? ''
}

export async function campaignProgress(
  tx: Tx,
  { campaignId, asOf, groupBy }: CampaignProgressQuery,
): Promise<CampaignProgress> {
  const knownAt = await horizon(tx)
  const rows = await tx.execute<Row & { knownAt: string }>(sql`
    with day as (select coalesce(${asOf ?? null}::date, app.today()) as as_of),
    counted as (
      select r.facts ->> 'region' as region, exists (
        select from case_events d where d.case_id = r.case_id and d.action in ('record_document', 'import_documented')
          and d.occurred_on <= as_of and d.recorded_at <= ${knownAt}::timestamptz and not exists (
            select from case_events a where a.annuls = d.id and a.recorded_at <= ${knownAt}::timestamptz)) as documented
      from day, (select distinct case_id from open_grants) g join case_events r using (case_id)
      where r.from_state = '' and r.facts ->> 'campaign' = ${campaignId}
        and r.occurred_on <= as_of and r.recorded_at <= ${knownAt}::timestamptz),
    figures as (
      select region as key, count(*)::int as registered, count(*) filter (where documented)::int as documented
      from counted group by grouping sets ((), (region)))
    select f.*, to_char(as_of, 'YYYY-MM-DD') as "asOf", app.rfc3339(${knownAt}::timestamptz) as "knownAt",
      jsonb_build_object('en', label_en, 'ru', label_ru, 'kk', label_kk) as label
    from day, figures f left join regions r on r.code = f.key order by f.key nulls first`)
  const [totals, ...groups] = rows
  if (!totals) throw new Error('a report has totals')
  return {
    definition,
    asOf: totals.asOf,
    knownAt: totals.knownAt,
    scope: 'mine',
    map: 'recorded',
    totals: withShare(totals),
    groups:
      groupBy === 'region' ? groups.map(row => ({ key: row.key ?? '', label: row.label, ...withShare(row) })) : [],
  }
}

const withShare = ({ registered, documented }: Pick<Row, 'registered' | 'documented'>) => ({
  registered,
  documented,
  documentedShare: registered ? Math.round((documented / registered) * 10_000) / 100 : null,
})
