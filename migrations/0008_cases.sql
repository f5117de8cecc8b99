create type zone as enum ('identity', 'contact', 'whereabouts', 'protection');
create type purpose as enum ('case_management', 'status_determination', 'birth_registration', 'consular_inquiry', 'legal_aid',
  'service_referral', 'case_conference'); -- there is no enforcement purpose, and there can be none
create type basis as enum ('consent', 'statute', 'vital_interest');

-- The index of a case: all that a grant of any zone shows. No name, no free text, no sex, no birth year.
create table cases (
  id uuid primary key,
  number text not null unique,
  campaign_id uuid references campaigns,
  category text not null,
  causes text[] not null,
  region_code text not null references regions,
  owner_id uuid not null references organisations,
  handler_id uuid references organisations,
  assignee_id uuid,
  state text not null,
  outcome text,
  final_on date,
  waiting_for text, waiting_since date, due_on date,
  registered_on date not null,
  version int not null default 1,
  external_hmac bytea,
  updated_at timestamptz not null,
  constraint cases_external_id unique (owner_id, external_hmac),
  constraint cases_assignee foreign key (assignee_id, owner_id) references accounts (id, organisation_id)
);

-- What opens a case: an organisation may see these zones for this purpose until then. opened_at is null: offered.
create table grants (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  owner_id uuid not null references organisations,
  recipient_id uuid not null references organisations,
  purpose purpose not null,
  zones zone[] not null check (cardinality(zones) > 0),
  basis basis not null,
  legal_reference text check ((basis = 'statute') = (legal_reference is not null)),
  method text, language text, form_version text,
  representative text, -- who speaks for a child: a code; their name stands with the event that opened the grant
  opened_at timestamptz,
  valid_until timestamptz not null default 'infinity',
  closed_at timestamptz, closed_reason text,
  given_by uuid not null references accounts,
  check ((closed_at is null) = (closed_reason is null))
);
create index on grants (recipient_id, case_id) where closed_at is null;
create index on grants (case_id);

-- Kept from the grants by the triggers below, for lists and policies: who reaches a case, and each zone of it, until when.
-- A test proves at random that it never differs from open_grants.
create table case_access (
  organisation_id uuid not null references organisations,
  case_id uuid not null references cases,
  state text not null,
  until timestamptz not null,
  identity_until timestamptz not null,
  contact_until timestamptz not null,
  whereabouts_until timestamptz not null,
  protection_until timestamptz not null,
  primary key (organisation_id, case_id)
);
create index on case_access (organisation_id, state, case_id);
create index on case_access (case_id);

call app.guard(array['cases', 'grants', 'case_access']::regclass[]);
grant delete on case_access to definer;

-- The wall, in one sentence: a grant that was opened, is not closed, and has not run out by the clock.
create view open_grants with (security_invoker) as
  select * from grants where recipient_id = (select app.org()) and closed_at is null
    and opened_at <= app.now() and valid_until > app.now();

create function app.zone_until(a case_access, z zone) returns timestamptz language sql immutable return
  case z when 'identity' then (a).identity_until when 'contact' then (a).contact_until
    when 'whereabouts' then (a).whereabouts_until when 'protection' then (a).protection_until end;
grant execute on function app.zone_until(case_access, zone) to app, definer;

grant select on cases, grants, open_grants, case_access to app;
grant update (assignee_id) on cases to app;

create policy seen on grants for select to app using (recipient_id = (select app.org()) or owner_id = (select app.org()));
create policy seen on case_access for select to app using (organisation_id = (select app.org()) and until > app.now());
-- Written as a scalar: `exists` would become a hashed subplan over all that the organisation sees.
create policy seen on cases for select to app using ((select true from case_access a where a.case_id = cases.id limit 1));
create policy assigned on cases for update to app using (owner_id = (select app.org()) and (select app.has_role('supervisor')));

create function app.keep_access() returns trigger language plpgsql security definer set search_path = '' as $$
declare touched uuid[] := array(select distinct case_id from changed);
begin
  insert into public.case_access as a
    select g.recipient_id, g.case_id, c.state, max(g.valid_until),
      coalesce(max(g.valid_until) filter (where 'identity' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'contact' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'whereabouts' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'protection' = any (g.zones)), '-infinity')
    from public.grants g join public.cases c on c.id = g.case_id
    where g.case_id = any (touched) and g.closed_at is null and g.opened_at is not null
    group by g.recipient_id, g.case_id, c.state
    on conflict (organisation_id, case_id) do update set (until, identity_until, contact_until, whereabouts_until, protection_until)
      = (excluded.until, excluded.identity_until, excluded.contact_until, excluded.whereabouts_until, excluded.protection_until);
  delete from public.case_access a where a.case_id = any (touched) and not exists (
    select from public.grants g where g.case_id = a.case_id and g.recipient_id = a.organisation_id
      and g.closed_at is null and g.opened_at is not null);
  return null;
end $$;
create trigger keep_access_of_new after insert on grants referencing new table as changed
  for each statement execute function app.keep_access();
create trigger keep_access_of_changed after update on grants referencing new table as changed
  for each statement execute function app.keep_access();

create function app.keep_state() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update public.case_access a set state = c.state from changed c where a.case_id = c.id and a.state <> c.state;
  return null;
end $$;
create trigger keep_state after update on cases referencing new table as changed
  for each statement execute function app.keep_state();

-- Another assignee is another version of the case.
create function app.keep_version() returns trigger language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := clock_timestamp();
  return new;
end $$;
create trigger keep_version before update of assignee_id on cases for each row execute function app.keep_version();

-- Check digit of a case number: ISO 7064 MOD 11,10 over its digits.
create function app.check_digit(digits text) returns int language sql immutable as $$
  with recursive step(i, p) as (
    select 0, 10
    union all
    select i + 1, (case when (p + d) % 10 = 0 then 10 else (p + d) % 10 end) * 2 % 11
    from step, lateral (select substr(digits, i + 1, 1)::int as d) digit where i < length(digits)
  )
  select (11 - p) % 10 from step where i = length(digits)
$$;

-- A random number: it tells nobody how many cases others registered.
create function app.case_number(year int) returns text language plpgsql security definer set search_path = '' as $$
declare digits text; candidate text;
begin
  loop
    digits := year || lpad((('x' || left(replace(gen_random_uuid()::text, '-', ''), 12))::bit(48)::bigint % 10000000)::text, 7, '0');
    candidate := (select country from public.installation) || '-' || year || '-' || right(digits, 7) || '-' || app.check_digit(digits);
    exit when not exists (select from public.cases c where c.number = candidate);
  end loop;
  return candidate;
end $$;

-- Does the caller reach the case, for whatever purpose?
create function app.reaches(p_case uuid) returns boolean language sql stable security definer set search_path = '' return
  exists (select from public.case_access a where a.case_id = p_case and a.organisation_id = app.org() and a.until > app.now());

grant execute on function app.check_digit(text), app.reaches(uuid) to definer;

call app.define(array[
  'app.keep_access()',
  'app.keep_state()',
  'app.case_number(int)',
  'app.reaches(uuid)'
]::regprocedure[]);
