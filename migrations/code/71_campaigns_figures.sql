-- The figures of a case: how it is counted in reports, derived from its events, its identity and its grants.

-- The value of the event with the highest id, from a maximum over texts of id and value; null if there is none.
create function app.last_value(id_and_word text) returns text language sql immutable return
  nullif(substr(id_and_word, 37), '');
grant execute on function app.last_value(text) to definer;

-- The rows of a case that was corrected: one for each stretch of both times in which it is counted alike. The instants
-- at which an annulment or another identity was recorded divide the time of knowledge into epochs; within an epoch,
-- each event takes over from the one before it, by its day and by the instant of its recording.
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
    select k.from_at, k.until_at, t.day, t.instant, lead(t.day, 1, 'infinity') over so_far as next_day,
      lead(t.instant, 1, 'infinity') over so_far as next_instant,
      app.last_value(max((t.id || (t.facts ->> 'region')) collate "C") over so_far) as region,
      app.last_value(max((t.id || (t.facts ->> 'category')) collate "C") over so_far) as category,
      app.last_value(max((t.id || coalesce(t.facts ->> 'outcome', '')) collate "C")
        filter (where t.facts ? 'outcome') over so_far) as outcome,
      bool_or(t.documents) over so_far as documented
    from epochs k join told t on t.annulled_at > k.from_at and t.instant < k.until_at
    window so_far as (partition by k.from_at order by t.id))
  select s.from_on, s.until_on,
    case when w.outcome is not null then s.from_on end, case when w.documented then s.from_on end, z.birth_year,
    s.from_at, s.until_at,
    case when w.outcome is not null then s.from_at end, case when w.documented then s.from_at end,
    case when z.version is not null then s.from_at end, w.region, w.category, w.outcome, z.sex
  from words w
    cross join lateral (values
      -- until the next event is on record
      (w.day, date 'infinity', greatest(w.instant, w.from_at), least(w.next_instant, w.until_at)),
      -- and afterwards, until the day of the next event
      (w.day, w.next_day, greatest(w.next_instant, w.from_at), w.until_at)) s(from_on, until_on, from_at, until_at)
    left join lateral (
      select z.version, z.sex, z.birth_year from public.zone_versions z
      where z.case_id = p_case and z.zone = 'identity' and z.written_at <= w.from_at
      order by z.version desc limit 1) z on true
  where s.from_on < s.until_on and s.from_at < s.until_at
$$;
grant execute on function app.stretches(uuid) to definer;

-- The id of the set of organisations that can read a case (see readerships): a hash of the set.
create view case_readerships with (security_invoker) as
  select case_id, md5(string_agg(concat_ws(' ',
      organisation_id, extract(epoch from until), extract(epoch from identity_until)), ','
    order by organisation_id))::uuid as readership
  from case_access
  group by case_id;
grant select on case_readerships to definer;

-- The rows that case_figures must have for a case, computed from what is on record: one if each fact was recorded once
-- and no event annuls another, otherwise those of app.stretches.
create view figures_on_record with (security_invoker) as
  select r.case_id, (r.facts ->> 'campaign')::uuid as campaign_id,
    coalesce((r.facts ->> 'owner')::uuid, r.organisation_id) as owner_id,
    (select a.readership from case_readerships a where a.case_id = r.case_id) as readership,
    to_char(r.occurred_on, 'YYYY-MM') as month, f.*
  from case_events r,
    lateral (
      select count(e.annuls) = 0 and count(*) filter (where e.facts ? 'region') = 1
          and count(*) filter (where e.facts ? 'category') = 1 and count(*) filter (where e.facts ? 'outcome') <= 1
          and count(*) filter (where documents) <= 1 as once,
        min(e.facts ->> 'outcome') as outcome,
        min(e.occurred_on) filter (where e.facts ? 'outcome') as decided_on,
        min(e.recorded_at) filter (where e.facts ? 'outcome') as decided_at,
        min(e.occurred_on) filter (where documents) as documented_on,
        min(e.recorded_at) filter (where documents) as documented_at
      from case_events e, lateral (select e.action in ('record_document', 'import_documented') as documents) d
      where e.case_id = r.case_id) said,
    lateral (
      select count(distinct (z.sex, z.birth_year)) <= 1 as once, min(z.sex) as sex, min(z.birth_year) as birth_year,
        min(z.written_at) as written_at
      from zone_versions z
      where z.case_id = r.case_id and z.zone = 'identity') known,
    lateral (
      select r.occurred_on as from_on, date 'infinity' as until_on, said.decided_on, said.documented_on,
        known.birth_year, r.recorded_at as from_at, timestamptz 'infinity' as until_at, said.decided_at,
        said.documented_at, known.written_at as identity_at, r.facts ->> 'region' as region,
        r.facts ->> 'category' as category, said.outcome, known.sex
      where said.once and known.once
      union all
      select * from app.stretches(r.case_id) where not (said.once and known.once)) f
  where r.from_state = '' and r.facts ->> 'campaign' is not null;
grant select on figures_on_record to definer;

-- Stores the readerships of these cases that are not stored yet.
create function app.keep_readerships(p_cases uuid[]) returns void language sql as $$
  insert into public.readerships
    select n.readership, a.organisation_id, a.until, a.identity_until
    from (
      select distinct on (f.readership) f.readership, f.case_id from public.case_figures f
      where f.case_id = any (p_cases)
        and not exists (select from public.readerships r where r.readership = f.readership)) n
      join public.case_access a on a.case_id = n.case_id
    on conflict do nothing
$$;
grant execute on function app.keep_readerships(uuid[]) to definer;

-- After events or zone versions were written: sets the figures of their cases to figures_on_record.
create function app.keep_figures() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  touched uuid[] := array(
    select c.id from public.cases c where c.campaign_id is not null and c.id in (select w.case_id from written w));
begin
  if touched = '{}' then return null; end if;
  -- A parallel transaction that writes about the same case waits here, and then reads what the other one has written.
  perform from public.cases c where c.id = any (touched) order by c.id for no key update;
  with said as materialized (select r.* from public.figures_on_record r where r.case_id = any (touched)),
  gone as (
    delete from public.case_figures f
    where f.case_id = any (touched) and not exists (
      select from said s where s.case_id = f.case_id and s.from_at = f.from_at and s.from_on = f.from_on))
  insert into public.case_figures as f
    select s.* from said s
    on conflict (case_id, from_at, from_on) do update
      set (readership, until_on, decided_on, documented_on, birth_year, until_at, decided_at, documented_at,
          identity_at, region, category, outcome, sex)
        = (excluded.readership, excluded.until_on, excluded.decided_on, excluded.documented_on, excluded.birth_year,
          excluded.until_at, excluded.decided_at, excluded.documented_at, excluded.identity_at, excluded.region,
          excluded.category, excluded.outcome, excluded.sex)
      where f <> excluded;
  perform app.keep_readerships(touched);
  return null;
end $$;
create trigger then_6_keep_figures after insert on case_events referencing new table as written
  for each statement execute function app.keep_figures();
create trigger keep_figures after insert on zone_versions referencing new table as written
  for each statement execute function app.keep_figures();
create trigger keep_figures_of_erased after update on zone_versions referencing new table as written
  for each statement execute function app.keep_figures();

-- After grants were written: sets the readership of their cases. A new case gets its figures by its first event.
create function app.keep_readers() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  touched uuid[] := array(
    select distinct f.case_id from public.case_figures f where f.case_id in (select w.case_id from written w));
begin
  if touched = '{}' then return null; end if;
  perform from public.cases c where c.id = any (touched) order by c.id for no key update;
  update public.case_figures f
    set readership = (select r.readership from public.case_readerships r where r.case_id = f.case_id)
    where f.case_id = any (touched);
  perform app.keep_readerships(touched);
  return null;
end $$;
create trigger keep_readers_of_new after insert on grants referencing new table as written
  for each statement execute function app.keep_readers();
create trigger keep_readers_of_changed after update on grants referencing new table as written
  for each statement execute function app.keep_readers();

-- Only the functions of this file and of the reports read and write figures.
grant delete on case_figures to definer;
