-- Figures of a campaign without reading histories: what a case counts as, kept beside its events.

-- Who reaches a case until when, and its identity: one set for all the cases that the same organisations reach alike,
-- named by what it says.
create table readerships (
  readership uuid not null,
  organisation_id uuid not null references organisations,
  until timestamptz not null,
  identity_until timestamptz not null,
  primary key (readership, organisation_id)
) with (autovacuum_analyze_threshold = 5); -- few rows, and many hang on how many the planner takes them for

-- What a case counts as, from one day to another as far as it is known from one instant to another. A case of which each
-- fact was said once has one row, which says when it was decided and documented and when its person became known. Any
-- other has a row for each stretch of the two times in which it counts the same. A test proves at random that they never
-- differ from the events. Nobody reads them: sex and birth year stand here without the zone that guards them.
create table case_figures (
  case_id uuid not null references cases,
  campaign_id uuid not null,
  owner_id uuid not null,
  readership uuid, -- null: nobody reaches it
  month text not null,
  from_on date not null, until_on date not null,
  decided_on date, documented_on date,
  birth_year int,
  from_at timestamptz not null, until_at timestamptz not null,
  decided_at timestamptz, documented_at timestamptz, identity_at timestamptz,
  region text not null, category text not null, outcome text, sex text,
  primary key (case_id, from_at, from_on)
);
create index on case_figures (campaign_id, readership);

call app.guard(array['readerships', 'case_figures']::regclass[]);
grant delete on case_figures to definer;

create view case_readerships with (security_invoker) as
  select case_id, md5(string_agg(concat_ws(' ', organisation_id, extract(epoch from until), extract(epoch from identity_until)), ','
    order by organisation_id))::uuid as readership from case_access group by case_id;

-- The last word on a fact so far, if it was said at all: the one with the highest id.
create function app.last_word(id_and_word text) returns text language sql immutable return nullif(substr(id_and_word, 37), '');

-- A case that was corrected: the stretches of the two times in which it counts the same. Between the instants at which an
-- event became known to be annulled, or the person as somebody else, each event takes over from the one before it.
create function app.stretches(p_case uuid) returns table (
  from_on date, until_on date, decided_on date, documented_on date, birth_year int,
  from_at timestamptz, until_at timestamptz, decided_at timestamptz, documented_at timestamptz, identity_at timestamptz,
  region text, category text, outcome text, sex text
) language sql stable as $$
  with told as (
    select e.id, e.occurred_on as day, max(e.recorded_at) over (order by e.id) as instant, e.facts,
      e.action in ('record_document', 'import_documented') as documents,
      coalesce((select a.recorded_at from public.case_events a where a.annuls = e.id), 'infinity') as annulled_at
    from public.case_events e
    where e.case_id = p_case and e.annuls is null
      and (e.facts ?| array['region', 'category', 'outcome'] or e.action in ('record_document', 'import_documented'))),
  epochs as (
    select i.instant as from_at, lead(i.instant, 1, 'infinity') over (order by i.instant) as until_at
    from (
      select timestamptz '-infinity' as instant
      union select t.annulled_at from told t where t.annulled_at < 'infinity'
      union select z.written_at from public.zone_versions z where z.case_id = p_case and z.zone = 'identity') i),
  words as (
    select k.from_at, k.until_at, t.day, t.instant,
      lead(t.day, 1, 'infinity') over so_far as next_day, lead(t.instant, 1, 'infinity') over so_far as next_instant,
      app.last_word(max((t.id || (t.facts ->> 'region')) collate "C") over so_far) as region,
      app.last_word(max((t.id || (t.facts ->> 'category')) collate "C") over so_far) as category,
      app.last_word(max((t.id || coalesce(t.facts ->> 'outcome', '')) collate "C") filter (where t.facts ? 'outcome') over so_far) as outcome,
      bool_or(t.documents) over so_far as documented
    from epochs k join told t on t.annulled_at > k.from_at and t.instant < k.until_at
    window so_far as (partition by k.from_at order by t.id))
  select s.from_on, s.until_on, case when w.outcome is not null then s.from_on end, case when w.documented then s.from_on end, z.birth_year,
    s.from_at, s.until_at, case when w.outcome is not null then s.from_at end, case when w.documented then s.from_at end,
    case when z.version is not null then s.from_at end, w.region, w.category, w.outcome, z.sex
  from words w
    cross join lateral (values
      (w.day, date 'infinity', greatest(w.instant, w.from_at), least(w.next_instant, w.until_at)), -- until the next is known
      (w.day, w.next_day, greatest(w.next_instant, w.from_at), w.until_at) -- until the next has happened
    ) s(from_on, until_on, from_at, until_at)
    left join lateral (
      select z.version, z.sex, z.birth_year from public.zone_versions z
      where z.case_id = p_case and z.zone = 'identity' and z.written_at <= w.from_at order by z.version desc limit 1) z on true
  where s.from_on < s.until_on and s.from_at < s.until_at
$$;

-- The rows of a case that they have to be, by what is on record.
create view figures_on_record with (security_invoker) as
  select r.case_id, (r.facts ->> 'campaign')::uuid as campaign_id, coalesce((r.facts ->> 'owner')::uuid, r.organisation_id) as owner_id,
    (select a.readership from case_readerships a where a.case_id = r.case_id) as readership, to_char(r.occurred_on, 'YYYY-MM') as month, f.*
  from case_events r,
    lateral (
      select count(e.annuls) = 0 and count(*) filter (where e.facts ? 'region') = 1 and count(*) filter (where e.facts ? 'category') = 1
          and count(*) filter (where e.facts ? 'outcome') <= 1 and count(*) filter (where documents) <= 1 as once,
        min(e.facts ->> 'outcome') as outcome,
        min(e.occurred_on) filter (where e.facts ? 'outcome') as decided_on, min(e.recorded_at) filter (where e.facts ? 'outcome') as decided_at,
        min(e.occurred_on) filter (where documents) as documented_on, min(e.recorded_at) filter (where documents) as documented_at
      from case_events e, lateral (select e.action in ('record_document', 'import_documented') as documents) d
      where e.case_id = r.case_id) said,
    lateral (
      select count(distinct (z.sex, z.birth_year)) <= 1 as once, min(z.sex) as sex, min(z.birth_year) as birth_year, min(z.written_at) as written_at
      from zone_versions z where z.case_id = r.case_id and z.zone = 'identity') known,
    lateral (
      select r.occurred_on as from_on, date 'infinity' as until_on, said.decided_on, said.documented_on, known.birth_year,
        r.recorded_at as from_at, timestamptz 'infinity' as until_at, said.decided_at, said.documented_at, known.written_at as identity_at,
        r.facts ->> 'region' as region, r.facts ->> 'category' as category, said.outcome, known.sex
      where said.once and known.once
      union all
      select * from app.stretches(r.case_id) where not (said.once and known.once)) f
  where r.from_state = '' and r.facts ->> 'campaign' is not null;
grant select on case_readerships, figures_on_record to definer;
grant execute on function app.last_word(text), app.stretches(uuid) to definer;

-- The sets of those who reach these cases, as far as there is no such set yet.
create function app.keep_readerships(p_cases uuid[]) returns void language sql as $$
  insert into public.readerships
    select n.readership, a.organisation_id, a.until, a.identity_until
    from (
      select distinct on (f.readership) f.readership, f.case_id from public.case_figures f
      where f.case_id = any (p_cases) and not exists (select from public.readerships r where r.readership = f.readership)) n
      join public.case_access a on a.case_id = n.case_id
    on conflict do nothing
$$;
grant execute on function app.keep_readerships(uuid[]) to definer;

-- Whatever was written of these cases: their rows become what they have to be.
create function app.keep_figures() returns trigger language plpgsql security definer set search_path = '' as $$
declare touched uuid[] := array(
  select c.id from public.cases c where c.campaign_id is not null and c.id in (select w.case_id from written w));
begin
  if touched = '{}' then return null; end if;
  -- Who writes of the same case at the same time waits here, and then reads what the other one has written.
  perform from public.cases c where c.id = any (touched) order by c.id for no key update;
  with said as materialized (select r.* from public.figures_on_record r where r.case_id = any (touched)),
  gone as (
    delete from public.case_figures f where f.case_id = any (touched) and not exists (
      select from said s where s.case_id = f.case_id and s.from_at = f.from_at and s.from_on = f.from_on))
  insert into public.case_figures as f select s.* from said s
    on conflict (case_id, from_at, from_on) do update
      set (readership, until_on, decided_on, documented_on, birth_year, until_at, decided_at, documented_at, identity_at,
          region, category, outcome, sex)
        = (excluded.readership, excluded.until_on, excluded.decided_on, excluded.documented_on, excluded.birth_year, excluded.until_at,
          excluded.decided_at, excluded.documented_at, excluded.identity_at, excluded.region, excluded.category, excluded.outcome, excluded.sex)
      where f <> excluded;
  perform app.keep_readerships(touched);
  return null;
end $$;
create trigger then_6_keep_figures after insert on case_events referencing new table as written
  for each statement execute function app.keep_figures();
create trigger keep_figures after insert on zone_versions referencing new table as written
  for each statement execute function app.keep_figures();

-- A case that is being made has no rows yet, and will have them by its first event.
create function app.keep_readers() returns trigger language plpgsql security definer set search_path = '' as $$
declare touched uuid[] := array(select distinct f.case_id from public.case_figures f where f.case_id in (select w.case_id from written w));
begin
  if touched = '{}' then return null; end if;
  perform from public.cases c where c.id = any (touched) order by c.id for no key update;
  update public.case_figures f set readership = (select r.readership from public.case_readerships r where r.case_id = f.case_id)
    where f.case_id = any (touched);
  perform app.keep_readerships(touched);
  return null;
end $$;
create trigger keep_readers_of_new after insert on grants referencing new table as written
  for each statement execute function app.keep_readers();
create trigger keep_readers_of_changed after update on grants referencing new table as written
  for each statement execute function app.keep_readers();

insert into case_figures select * from figures_on_record;
select app.keep_readerships(array(select case_id from case_figures));

-- Numbers that a rule of the installation sets, each with its source.
create table thresholds (
  threshold text primary key,
  value int not null check (value > 0),
  label_en text not null, label_ru text not null, label_kk text not null,
  source text not null,
  verified boolean not null
);
call app.guard(array['thresholds'::regclass]);
grant select on thresholds to app;
create policy public_knowledge on thresholds for select to app using (true);

create type app.figure as (key text, registered int, documented int);

-- Campaign progress, version 2, case by case: the cases that stand open to p_reader, or all of the campaign, registered by
-- the end of p_as_of, as far as that was on record at p_known_at, and what was said of each by its last word, if that was
-- known. An event that was known to be annulled never happened. Sex and birth year need the identity. Written so that the
-- planner sees through it: one definition for the figures and for the cases behind them.
create function app.report_cases(p_campaign uuid, p_as_of date, p_known_at timestamptz, p_all boolean, p_reader uuid, p_now timestamptz, p_dimension text)
returns table (case_id uuid, said text, known boolean, documented boolean) language sql stable parallel safe as $$
  select f.case_id, case p_dimension
      when 'region' then f.region
      when 'outcome' then f.outcome
      when 'category' then f.category
      when 'sex' then f.sex
      when 'ageGroup' then f.birth_year::text
      when 'month' then f.month
      when 'division' then f.owner_id::text end,
    case
      when p_dimension = 'outcome' then f.decided_on <= p_as_of and f.decided_at <= p_known_at
      when p_dimension in ('sex', 'ageGroup') then f.identity_at <= p_known_at and (p_all or r.identity_until > p_now)
      else true end,
    coalesce(f.documented_on <= p_as_of and f.documented_at <= p_known_at, false)
  from public.case_figures f
    left join public.readerships r on r.readership = f.readership and r.organisation_id = p_reader and r.until > p_now
  where f.campaign_id = p_campaign and (p_all or r.readership is not null)
    and f.from_on <= p_as_of and p_as_of < f.until_on and f.from_at <= p_known_at and p_known_at < f.until_at
$$;

-- The group under which something that was said is counted, where that has another name.
create function app.report_keys(p_dimension text, p_map text, p_as_of date) returns table (said text, key text)
language sql stable parallel safe as $$
  select r.code, app.joined_region(r.code) from public.regions r where p_dimension = 'region' and p_map = 'joined'
  union all
  select born::text, g.code
  from public.codes g, lateral (select extract(year from p_as_of)::int as year) of, generate_series(
    of.year - coalesce(nullif(split_part(g.code, '_', 3), '')::int, 999), of.year - split_part(g.code, '_', 2)::int) born
  where p_dimension = 'ageGroup' and g.list = 'age_group' and g.code <> 'unknown'
$$;
create function app.report_key(p_dimension text, p_said text, p_key text) returns text language sql immutable parallel safe return
  coalesce(p_key, case when p_dimension <> 'ageGroup' then p_said end, case p_dimension when 'outcome' then 'none' else 'unknown' end);

-- Counted by what was said, and only then by group: a million cases say few things.
create function app.report_groups(p_campaign uuid, p_as_of date, p_known_at timestamptz, p_all boolean, p_reader uuid, p_now timestamptz,
  p_dimension text, p_map text) returns setof app.figure language sql stable parallel safe as $$
  select app.report_key(p_dimension, case when c.known then c.said end, k.key), sum(c.registered)::int, sum(c.documented)::int
  from (
    select c.said, c.known, count(*) as registered, count(*) filter (where c.documented) as documented
    from app.report_cases(p_campaign, p_as_of, p_known_at, p_all, p_reader, p_now, p_dimension) c group by c.said, c.known) c
    left join app.report_keys(p_dimension, p_map, p_as_of) k on k.said = c.said and c.known
  group by 1
$$;

-- A number as far as it may be told: the multiple of p_least below it. An even one is told only if it is not given away
-- thereby, see below; otherwise the multiple before it.
create function app.told_of(p_number int, p_least int, p_even boolean) returns int language sql immutable return
  greatest(p_number - p_number % p_least - case when p_number % p_least = 0 and not p_even then p_least else 0 end, 0);

-- The groups of a whole campaign, told so that no report, and no two of them, give away a number below the least: by whole
-- multiples of it, documented and others apart, and what that leaves in `other`, which holds the least at least and comes
-- from several groups, or else takes in the smallest named group, or all. Totals are exact: so a number may come out even
-- only while enough others do not, regions that were ever one taken as one. Whoever knows the numbers that came out even
-- on other days, instants and maps would otherwise have the last one by subtraction.
create function app.pooled(p_dimension text, p_groups app.figure[]) returns setof app.figure language sql stable parallel safe as $$
  with rule as (
    select max(value) filter (where threshold = 'smallest_group') as least, max(value) filter (where threshold = 'pooled_groups') as several
    from public.thresholds),
  groups as (
    select g.*, case when p_dimension = 'region' then coalesce(app.joined_region(g.key), g.key) else g.key end as family
    from unnest(p_groups) g),
  odd as (
    select count(distinct g.family) filter (where g.registered % r.least > 0) >= r.several as registered,
      count(distinct g.family) filter (where g.documented % r.least > 0) >= r.several as documented
    from rule r left join groups g on true group by r.several),
  told as (
    select g.key, d.documented + u.undocumented as registered, d.documented
    from groups g, rule r, odd o,
      lateral (select app.told_of(g.documented, r.least, o.documented and o.registered) as documented) d,
      lateral (select app.told_of(g.registered - g.documented, r.least, o.registered) as undocumented) u
    where g.key <> 'other' and (select count(*) from groups) >= r.several),
  named as (select t.*, row_number() over (order by t.registered, t.key) as place from told t where t.registered > 0),
  kept as (
    select n.key, n.registered, n.documented from named n, rule r
    where n.place > 1 or (select sum(g.registered) from groups g) - (select sum(o.registered) from named o) >= r.least)
  select k.key, k.registered, k.documented from kept k
  union all
  select 'other', sum(n.registered)::int, sum(n.documented)::int
  from (select g.registered, g.documented from groups g union all select -k.registered, -k.documented from kept k) n having sum(n.registered) > 0
$$;

-- Who may have all cases of a campaign counted: whoever organises it, coordinators, auditors.
create function app.counts_all(organiser uuid) returns boolean language sql stable return
  coalesce(organiser = app.org(), false) or app.has_role('coordinator') or app.has_role('auditor');

-- How many were registered and documented: in all, where the key is null, and by group.
create function app.campaign_figures(p_campaign uuid, p_as_of date, p_known_at timestamptz, p_scope text, p_dimension text, p_map text)
returns setof app.figure language plpgsql stable security definer
set search_path = '' set plan_cache_mode = 'force_custom_plan' as $$
declare everybody boolean := p_scope = 'campaign'; organiser uuid; reader uuid := app.org(); instant timestamptz := app.now();
begin
  if everybody then
    select c.organisation_id into organiser from public.campaigns c where c.id = p_campaign;
    if not found then perform app.refuse('not-found'); end if;
    if not app.counts_all(organiser) then
      perform app.refuse('forbidden', 'All of a campaign is counted for its organiser, for coordinators and auditors');
    end if;
  end if;
  return query
    with groups as materialized (
      select * from app.report_groups(p_campaign, p_as_of, p_known_at, everybody, reader, instant, p_dimension, p_map))
    select null, coalesce(sum(g.registered), 0)::int, coalesce(sum(g.documented), 0)::int from groups g
    union all select * from groups g where not everybody
    union all select * from app.pooled(p_dimension, array(select g::app.figure from groups g)) where everybody;
end $$;

-- The cases behind a number, of those that stand open to the caller, the newest first.
create function app.campaign_cases(p_campaign uuid, p_as_of date, p_known_at timestamptz, p_dimension text, p_map text, p_group text,
  p_measure text, p_before uuid, p_limit int)
returns setof uuid language plpgsql stable security definer
set search_path = '' set plan_cache_mode = 'force_custom_plan' as $$
declare reader uuid := app.org(); instant timestamptz := app.now();
begin
  return query
    select c.case_id
    from app.report_cases(p_campaign, p_as_of, p_known_at, false, reader, instant, p_dimension) c
      left join app.report_keys(p_dimension, p_map, p_as_of) k on k.said = c.said and c.known
    where (p_group is null or app.report_key(p_dimension, case when c.known then c.said end, k.key) = p_group) and (p_measure = 'registered' or c.documented)
      and (p_before is null or c.case_id < p_before)
    order by c.case_id desc limit p_limit;
end $$;

drop function app.campaign_cases(uuid, date, timestamptz);
grant execute on function app.report_cases(uuid, date, timestamptz, boolean, uuid, timestamptz, text), app.report_keys(text, text, date),
  app.report_key(text, text, text), app.report_groups(uuid, date, timestamptz, boolean, uuid, timestamptz, text, text),
  app.told_of(int, int, boolean), app.pooled(text, app.figure[]) to definer;
grant execute on function app.counts_all(uuid) to app, definer;
grant execute on function app.campaign_figures(uuid, date, timestamptz, text, text, text),
  app.campaign_cases(uuid, date, timestamptz, text, text, text, text, uuid, int) to app;
call app.define(array[
  'app.keep_figures()',
  'app.keep_readers()',
  'app.campaign_figures(uuid,date,timestamptz,text,text,text)',
  'app.campaign_cases(uuid,date,timestamptz,text,text,text,text,uuid,int)'
]::regprocedure[]);
