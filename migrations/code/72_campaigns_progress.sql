-- The report campaign progress, version 3.

-- A line of the report: how many cases of a group were registered, and how many of these are documented.
create type app.figure as (key text, registered int, documented int);

-- The value of a dimension of the report in a row of figures. The planner inlines it.
create function app.value_of(f case_figures, p_dimension text) returns text
language sql immutable parallel safe return case p_dimension
  when 'region' then (f).region
  when 'outcome' then (f).outcome
  when 'category' then (f).category
  when 'sex' then (f).sex
  when 'ageGroup' then (f).birth_year::text
  when 'month' then (f).month
  when 'division' then (f).owner_id::text end;
grant execute on function app.value_of(case_figures, text) to definer;

-- Campaign progress by case: the cases of the campaign (with p_all, otherwise those that p_reader can read at p_now)
-- registered by the end of p_as_of, as on record at p_known_at; annulled events are not counted if the annulment was on
-- record. said: the last value of the dimension. known: that value was on record, and p_reader may read it (sex and age
-- need the identity). One definition for the figures and for the cases behind them; the planner can inline it.
create function app.report_cases(p_campaign uuid, p_as_of date, p_known_at timestamptz, p_all boolean, p_reader uuid,
  p_now timestamptz, p_dimension text)
returns table (case_id uuid, said text, known boolean, documented boolean) language sql stable parallel safe as $$
  select f.case_id,
    app.value_of(f, p_dimension),
    case
      when p_dimension = 'outcome' then f.decided_on <= p_as_of and f.decided_at <= p_known_at
      when p_dimension in ('sex', 'ageGroup')
        then f.identity_at <= p_known_at and (p_all or r.identity_until > p_now)
      else true end,
    coalesce(f.documented_on <= p_as_of and f.documented_at <= p_known_at, false)
  from public.case_figures f
    left join public.readerships r
      on r.readership = f.readership and r.organisation_id = p_reader and r.until > p_now
  where f.campaign_id = p_campaign and (p_all or r.readership is not null)
    and f.from_on <= p_as_of and p_as_of < f.until_on and f.from_at <= p_known_at and p_known_at < f.until_at
$$;
grant execute on function app.report_cases(
  uuid, date, timestamp with time zone, boolean, uuid, timestamp with time zone, text) to definer;

-- The group that a value is counted in, for values that are not groups themselves: birth years in age groups, and with
-- the map `joined` regions in the region that they were cut out of.
create function app.report_keys(p_dimension text, p_map text, p_as_of date) returns table (said text, key text)
language sql stable parallel safe as $$
  select r.code, app.joined_region(r.code) from public.regions r
  where p_dimension = 'region' and p_map = 'joined'
  union all
  select born::text, g.code
  from public.codes g, lateral (select extract(year from p_as_of)::int as year) of, generate_series(
    of.year - coalesce(nullif(split_part(g.code, '_', 3), '')::int, 999),
    of.year - split_part(g.code, '_', 2)::int) born
  where p_dimension = 'ageGroup' and g.list = 'age_group' and g.code <> 'unknown'
$$;
grant execute on function app.report_keys(text, text, date) to definer;

-- The group of a case: that of app.report_keys, or the value itself, or none (of outcomes), or unknown.
create function app.report_key(p_dimension text, p_said text, p_key text) returns text
language sql immutable parallel safe return coalesce(
  p_key, case when p_dimension <> 'ageGroup' then p_said end,
  case p_dimension when 'outcome' then 'none' else 'unknown' end);
grant execute on function app.report_key(text, text, text) to definer;

-- The figures by group. Counts by value first and by group afterwards: a million cases have few different values.
create function app.report_groups(p_campaign uuid, p_as_of date, p_known_at timestamptz, p_all boolean, p_reader uuid,
  p_now timestamptz, p_dimension text, p_map text) returns setof app.figure language sql stable parallel safe as $$
  select app.report_key(p_dimension, case when c.known then c.said end, k.key), sum(c.registered)::int,
    sum(c.documented)::int
  from (
    select c.said, c.known, count(*) as registered, count(*) filter (where c.documented) as documented
    from app.report_cases(p_campaign, p_as_of, p_known_at, p_all, p_reader, p_now, p_dimension) c
    group by c.said, c.known) c
    left join app.report_keys(p_dimension, p_map, p_as_of) k on k.said = c.said and c.known
  group by 1
$$;
grant execute on function app.report_groups(
  uuid, date, timestamp with time zone, boolean, uuid, timestamp with time zone, text, text) to definer;

-- The number that is published for a group: the largest multiple of p_least that is not above p_number. If p_number is
-- itself a multiple, it is published only with p_even (see app.pooled), otherwise the multiple before it.
create function app.publishable(p_number int, p_least int, p_even boolean) returns int language sql immutable return
  greatest(p_number - p_number % p_least
    - case when p_number % p_least = 0 and not p_even then p_least else 0 end, 0);
grant execute on function app.publishable(integer, integer, boolean) to definer;

-- The groups of a whole campaign (those of app.told_groups, with the rest under the key `other`), changed so that no
-- report reveals a number below `least` (threshold smallest_group). Each group is published as a multiple of it,
-- documented and undocumented apart; what remains goes to `other`. Totals are exact.
create function app.pooled(p_dimension text, p_groups app.figure[]) returns setof app.figure
language sql stable parallel safe as $$
  with rule as (
    select max(value) filter (where threshold = 'smallest_group') as least,
      max(value) filter (where threshold = 'pooled_groups') as several
    from public.thresholds),
  groups as (
    select g.*, case when p_dimension = 'region' then coalesce(app.joined_region(g.key), g.key) else g.key end as family
    from unnest(p_groups) g),
  -- An exact multiple may be published only while `several` groups (threshold pooled_groups) are none, where regions
  -- that were once one count as one. Reports of other days, instants and maps may publish other exact multiples; the
  -- last group could be computed from them and the exact total by subtraction.
  odd as (
    select count(distinct g.family) filter (where g.registered % r.least > 0) >= r.several as registered,
      count(distinct g.family) filter (where g.documented % r.least > 0) >= r.several as documented
    from rule r left join groups g on g.key <> 'other'
    group by r.several),
  told as (
    select g.key, d.documented + u.undocumented as registered, d.documented
    from groups g, rule r, odd o,
      lateral (select app.publishable(g.documented, r.least, o.documented and o.registered) as documented) d,
      lateral (select app.publishable(g.registered - g.documented, r.least, o.registered) as undocumented) u
    where g.key <> 'other' and (select count(*) from groups o where o.key <> 'other') >= r.several),
  -- `other` has at least `least`, from several groups; otherwise the smallest named group goes into it too, or all do.
  named as (
    select t.*, row_number() over (order by t.registered, t.key) as place from told t where t.registered > 0),
  kept as (
    select n.key, n.registered, n.documented from named n, rule r
    where n.place > 1
      or (select sum(g.registered) from groups g) - (select sum(o.registered) from named o) >= r.least)
  select k.key, k.registered, k.documented from kept k
  union all
  select 'other', sum(n.registered)::int, sum(n.documented)::int
  from (
    select g.registered, g.documented from groups g union all select -k.registered, -k.documented from kept k) n
  having sum(n.registered) > 0
$$;
grant execute on function app.pooled(text, app.figure[]) to definer;

-- True if the caller may have all cases of a campaign counted: its organiser, coordinators, auditors.
create function app.counts_all(organiser uuid) returns boolean language sql stable return
  coalesce(organiser = app.org(), false) or app.has_role('coordinator') or app.has_role('auditor');
grant execute on function app.counts_all(uuid) to app, definer;

-- Returns the figures of a campaign: the total (its key is null) and a row for each group. Scope `campaign` counts all
-- cases, has groups only at the turn of months, and pools small ones; it refuses callers who may not count all.
-- Otherwise counts the cases that the caller can read.
create function app.campaign_figures(
  p_campaign uuid, p_as_of date, p_known_at timestamptz, p_scope text, p_dimension text, p_map text)
returns setof app.figure language plpgsql stable security definer
set search_path = '' set plan_cache_mode = 'force_custom_plan' as $$
declare
  everybody boolean := p_scope = 'campaign'; organiser uuid; reader uuid := app.org(); instant timestamptz := app.now();
begin
  if everybody then
    select c.organisation_id into organiser from public.campaigns c where c.id = p_campaign;
    if not found then perform app.refuse('not-found'); end if;
    if not app.counts_all(organiser) then
      perform app.refuse('forbidden', 'scope=campaign is for the organiser of the campaign, coordinators and auditors');
    end if;
  end if;
  if everybody then
    if p_dimension is not null then perform app.require_months(p_as_of, p_known_at); end if;
    return query
      with total as materialized (
        select null::text as key, coalesce(sum(g.registered), 0)::int as registered,
          coalesce(sum(g.documented), 0)::int as documented
        from app.report_groups(p_campaign, p_as_of, p_known_at, true, reader, instant, null, p_map) g)
      select * from total
      union all
      select p.*
      from total t, app.pooled(p_dimension, array(
        select g::app.figure from app.with_rest((t.key, t.registered, t.documented)::app.figure, array(
          select f::app.figure from app.told_groups(p_campaign, p_as_of, p_known_at, p_dimension, p_map) f)) g)) p
      where p_dimension is not null;
    return;
  end if;
  return query
    with groups as materialized (
      select * from app.report_groups(p_campaign, p_as_of, p_known_at, false, reader, instant, p_dimension, p_map))
    select null, coalesce(sum(g.registered), 0)::int, coalesce(sum(g.documented), 0)::int from groups g
    union all
    select * from groups g;
end $$;
grant execute on function app.campaign_figures(uuid, date, timestamp with time zone, text, text, text) to app;

-- Returns the cases behind a figure among those that the caller can read, the newest first.
create function app.campaign_cases(p_campaign uuid, p_as_of date, p_known_at timestamptz, p_dimension text, p_map text,
  p_group text, p_measure text, p_before uuid, p_limit int)
returns setof uuid language plpgsql stable security definer
set search_path = '' set plan_cache_mode = 'force_custom_plan' as $$
declare reader uuid := app.org(); instant timestamptz := app.now();
begin
  return query
    select c.case_id
    from app.report_cases(p_campaign, p_as_of, p_known_at, false, reader, instant, p_dimension) c
      left join app.report_keys(p_dimension, p_map, p_as_of) k on k.said = c.said and c.known
    where (p_group is null or app.report_key(p_dimension, case when c.known then c.said end, k.key) = p_group)
      and (p_measure = 'registered' or c.documented) and (p_before is null or c.case_id < p_before)
    order by c.case_id desc limit p_limit;
end $$;
grant execute on function app.campaign_cases(
  uuid, date, timestamp with time zone, text, text, text, text, uuid, integer) to app;
