import type { Service } from '../../support/service.ts'

export const dimensions = ['region', 'outcome', 'category', 'sex', 'ageGroup', 'month', 'division']

type View = { campaign: string; asOf: string; knownAt: string; reader: string | null }

/**
 * Returns the cases that a report counts differently from a fold of their events, made here case by case: for all cases
 * of a campaign, or for those open to the reader by the access rows.
 */
export const astray = (sql: Service['superuser'], { campaign, asOf, knownAt, reader }: View) => sql`
  with open as (
    select r.case_id, ${reader}::uuid is null or coalesce(a.identity_until > now(), false) as identity
    from case_events r left join case_access a on a.case_id = r.case_id and a.organisation_id = ${reader} and a.until > now()
    where r.from_state = '' and r.facts ->> 'campaign' = ${campaign} and (${reader}::uuid is null or a.case_id is not null)),
  known as (
    select o.identity, e.* from open o join case_events e on e.case_id = o.case_id
    where e.occurred_on <= ${asOf}::date and e.recorded_at <= ${knownAt}::timestamptz and e.annuls is null and not exists (
      select from case_events a where a.annuls = e.id and a.recorded_at <= ${knownAt}::timestamptz)),
  folded as (
    select k.case_id, k.identity, min(k.occurred_on) filter (where k.from_state = '') as registered_on,
      (array_agg(coalesce((k.facts ->> 'owner')::uuid, k.organisation_id)) filter (where k.from_state = ''))[1] as owner_id,
      bool_or(k.action in ('record_document', 'import_documented')) as documented,
      (array_agg(k.facts ->> 'region' order by k.id desc) filter (where k.facts ? 'region'))[1] as region,
      (array_agg(k.facts ->> 'category' order by k.id desc) filter (where k.facts ? 'category'))[1] as category,
      (array_agg(k.facts ->> 'outcome' order by k.id desc) filter (where k.facts ? 'outcome'))[1] as outcome
    from known k group by k.case_id, k.identity),
  by_events as (
    select t.case_id, d.dimension, case d.dimension when 'region' then t.region when 'outcome' then t.outcome when 'category' then t.category
        when 'sex' then z.sex when 'ageGroup' then z.birth_year::text when 'month' then to_char(t.registered_on, 'YYYY-MM')
        when 'division' then t.owner_id::text end as value, t.documented
    from folded t cross join unnest(${dimensions}::text[]) d(dimension) left join lateral (
      select z.sex, z.birth_year from zone_versions z
      where t.identity and z.case_id = t.case_id and z.zone = 'identity' and z.written_at <= ${knownAt}::timestamptz
      order by z.version desc limit 1) z on true
    where t.registered_on is not null),
  reported as (
    select c.case_id, d.dimension, case when c.known then c.said end, c.documented from unnest(${dimensions}::text[]) d(dimension),
      app.report_cases(${campaign}, ${asOf}, ${knownAt}, ${reader}::uuid is null, ${reader}, now(), d.dimension) c)
  select 'only by events' as counted, e.* from (table by_events except all table reported) e
  union all select 'only reported', r.* from (table reported except all table by_events) r`
