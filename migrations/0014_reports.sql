-- The instant up to which the record is complete: the start of the oldest transaction of the service still open, to the
-- millisecond, as the API writes it. To be asked in a statement of its own, before the one that reads.
create function app.horizon() returns timestamptz language sql volatile as $$
  select date_trunc('milliseconds', least(clock_timestamp(), min(xact_start))) from pg_stat_activity
  where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
$$;
grant execute on function app.horizon() to app;

create index on case_events ((facts ->> 'campaign')) where from_state = '';

-- The region that this one was cut out of, if it was, or itself: one name for what was ever one.
create function app.joined_region(p_code text) returns text language sql stable security definer set search_path = '' as $$
  with recursive before(code, predecessor) as (
    select code, predecessor from public.regions where code = p_code
    union all
    select r.code, r.predecessor from before b join public.regions r on r.code = b.predecessor)
  select code from before where predecessor is null
$$;

-- Campaign progress, version 2, case by case: the cases of a campaign that stand open to the caller, registered by the end
-- of p_as_of, as far as that was on record at p_known_at. Every dimension is a fact of an append-only row: of each the last
-- word that was known. An event that was known to be annulled never happened. Sex and birth year need the identity.
create function app.campaign_cases(p_campaign uuid, p_as_of date, p_known_at timestamptz)
returns table (case_id uuid, owner_id uuid, registered_on date, documented boolean, region text, category text, outcome text, sex text, birth_year int)
language sql stable security definer set search_path = '' as $$
  with open as (
    select a.case_id, a.identity_until > app.now() as identity
    from public.case_events r join public.case_access a on a.case_id = r.case_id
    where r.from_state = '' and r.facts ->> 'campaign' = p_campaign::text
      and a.organisation_id = app.org() and a.until > app.now()),
  known as (
    select o.identity, e.* from open o join public.case_events e on e.case_id = o.case_id
    where e.occurred_on <= p_as_of and e.recorded_at <= p_known_at and e.annuls is null and not exists (
      select from public.case_events a where a.annuls = e.id and a.recorded_at <= p_known_at)),
  told as (
    select k.case_id, k.identity, min(k.occurred_on) filter (where k.from_state = '') as registered_on,
      (array_agg(coalesce((k.facts ->> 'owner')::uuid, k.organisation_id)) filter (where k.from_state = ''))[1] as owner_id,
      bool_or(k.action in ('record_document', 'import_documented')) as documented,
      (array_agg(k.facts ->> 'region' order by k.id desc) filter (where k.facts ? 'region'))[1] as region,
      (array_agg(k.facts ->> 'category' order by k.id desc) filter (where k.facts ? 'category'))[1] as category,
      (array_agg(k.facts ->> 'outcome' order by k.id desc) filter (where k.facts ? 'outcome'))[1] as outcome
    from known k group by k.case_id, k.identity)
  select t.case_id, t.owner_id, t.registered_on, t.documented, t.region, t.category, t.outcome, z.sex, z.birth_year
  from told t left join lateral (
    select z.sex, z.birth_year from public.zone_versions z
    where t.identity and z.case_id = t.case_id and z.zone = 'identity' and z.written_at <= p_known_at
    order by z.version desc limit 1) z on true
  where t.registered_on is not null
$$;

grant execute on function app.joined_region(text), app.campaign_cases(uuid, date, timestamptz) to app;
call app.define(array[
  'app.joined_region(text)',
  'app.campaign_cases(uuid,date,timestamptz)'
]::regprocedure[]);
