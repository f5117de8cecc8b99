create type zone as enum ('identity', 'contact', 'whereabouts', 'protection');
create type purpose as enum ('case_management', 'status_determination', 'birth_registration', 'consular_inquiry', 'legal_aid',
  'service_referral', 'case_conference'); -- there is no enforcement purpose, and there can be none
create type basis as enum ('consent', 'statute', 'vital_interest');

-- What may happen to a case: seeded from policy.ts, compared by a test. A from_state of '' creates the case.
create table lifecycle (
  action text not null,
  from_state text not null,
  to_state text not null,
  relations text[] not null,
  primary key (action, from_state)
);

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
  assignee_id uuid references accounts,
  state text not null,
  outcome text,
  registered_on date not null,
  version int not null default 1,
  external_hmac bytea,
  updated_at timestamptz not null,
  constraint cases_external_id unique (owner_id, external_hmac)
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
  opened_at timestamptz,
  valid_until timestamptz not null default 'infinity',
  closed_at timestamptz, closed_reason text,
  given_by uuid not null references accounts
);
create index on grants (recipient_id, case_id) where closed_at is null;
create index on grants (case_id);

create table jobs (
  id uuid primary key default uuidv7(),
  kind text not null check (kind = 'import'),
  account_id uuid not null default app.account() references accounts,
  organisation_id uuid not null default app.org() references organisations,
  state text not null default 'receiving' check (state in ('receiving', 'queued', 'running', 'done', 'failed')),
  created_at timestamptz not null default app.now(),
  started_at timestamptz, ended_at timestamptz,
  leased_until timestamptz,
  failure text -- the name of a problem
);

-- What happened to a case: append-only. The event is the write; the row above is the fold of its events.
create table case_events (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases deferrable initially deferred, -- the first event makes its case
  action text not null,
  from_state text not null,
  to_state text not null,
  occurred_on date not null,
  recorded_at timestamptz not null,
  organisation_id uuid not null default app.org() references organisations,
  account_id uuid not null default app.account() references accounts,
  facts jsonb not null default '{}', -- codes, dates and ids only
  job_id uuid references jobs, line int, -- where an imported event came from
  check ((job_id is null) = (line is null)),
  check (starts_with(action, 'import_') = (job_id is not null))
);
create index on case_events (case_id, id);

call app.guard(array['lifecycle', 'cases', 'grants', 'jobs', 'case_events']::regclass[]);

-- The wall, in one sentence: a grant that was opened, is not closed, and has not run out by the clock.
create view open_grants with (security_invoker) as
  select * from grants where recipient_id = (select app.org()) and closed_at is null
    and opened_at <= app.now() and valid_until > app.now();

grant select on lifecycle, cases, grants, open_grants, case_events, jobs to app;
grant insert (id, case_id, action, occurred_on, facts, job_id, line) on case_events to app;
grant insert (id, kind), update (state, started_at, ended_at, leased_until, failure) on jobs to app;

create policy public_knowledge on lifecycle for select to app using (true);
create policy seen on grants for select to app using (recipient_id = (select app.org()) or owner_id = (select app.org()));
create policy seen on cases for select to app using (exists (select from open_grants g where g.case_id = cases.id));
create policy seen on case_events for select to app using (exists (select from open_grants g where g.case_id = case_events.case_id));
create policy appended on case_events for insert to app with check (
  organisation_id = (select app.org()) and account_id = (select app.account())
  and (from_state = '' or exists (select from open_grants g where g.case_id = case_events.case_id))
  and (job_id is null or exists (select from jobs j where j.id = job_id and j.account_id = (select app.account()) and j.state = 'running')));
create policy own on jobs to app using (account_id = (select app.account()));

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

-- What an organisation is to a case.
create function app.relations(organisation uuid, owner uuid, handler uuid) returns text[]
language sql stable security definer set search_path = '' return array_remove(array[
    case when organisation = owner then 'owner' end,
    case when organisation = handler then 'handler' end,
    case when exists (select from public.organisations o where o.id in (owner, handler) and o.parent_id = organisation) then 'committee' end
  ], null);

-- May this event happen? Decided here, whatever the service thinks; the states are written by nobody else.
create function app.check_event() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases; step public.lifecycle; owner uuid;
begin
  select * into c from public.cases where id = new.case_id for update;
  owner := coalesce(c.owner_id, (new.facts ->> 'owner')::uuid, new.organisation_id);
  select * into step from public.lifecycle where action = new.action and from_state = coalesce(c.state, '');
  if step.action is null or not step.relations && app.relations(new.organisation_id, owner, c.handler_id) then
    perform app.refuse('action-not-allowed');
  end if;
  if new.occurred_on > app.today() then
    perform app.refuse('invalid-request', 'occurredOn lies in the future');
  elsif new.occurred_on < (select max(occurred_on) from public.case_events where case_id = new.case_id) then
    perform app.refuse('invalid-request', 'occurredOn is earlier than the last event');
  end if;
  new.from_state := step.from_state;
  new.to_state := step.to_state;
  new.recorded_at := clock_timestamp();
  return new;
end $$;

-- The row becomes what its events say, and grants open and close with them.
create function app.fold_event() returns trigger language plpgsql security definer set search_path = '' as $$
declare f jsonb := new.facts; owner public.organisations;
begin
  if new.from_state <> '' then
    update public.cases set state = new.to_state, outcome = coalesce(f ->> 'outcome', outcome), version = version + 1,
      updated_at = new.recorded_at where id = new.case_id;
    return null;
  end if;
  select * into owner from public.organisations where id = coalesce((f ->> 'owner')::uuid, new.organisation_id);
  insert into public.cases (id, number, campaign_id, category, causes, region_code, owner_id, assignee_id, state, registered_on, external_hmac, updated_at)
    values (new.case_id, app.case_number(extract(year from new.occurred_on)::int), (f ->> 'campaign')::uuid, f ->> 'category',
      array(select jsonb_array_elements_text(f -> 'causes')), f ->> 'region', owner.id,
      case when owner.id = new.organisation_id and new.job_id is null then new.account_id end,
      new.to_state, new.occurred_on, decode(f ->> 'externalHmac', 'hex'), new.recorded_at);
  insert into public.grants (case_id, owner_id, recipient_id, purpose, zones, basis, legal_reference, method, language, form_version, opened_at, given_by)
    values (new.case_id, owner.id, owner.id, 'case_management', enum_range(null::public.zone), (f #>> '{basis,kind}')::public.basis,
      f #>> '{basis,legalReference}', f #>> '{basis,method}', f #>> '{basis,language}', f #>> '{basis,formVersion}', app.now(), new.account_id);
  if owner.kind = 'division' then -- its committee sees what it registers: index and identity, by statute
    insert into public.grants (case_id, owner_id, recipient_id, purpose, zones, basis, legal_reference, opened_at, given_by)
      values (new.case_id, owner.id, owner.parent_id, 'status_determination', '{identity}', 'statute', f #>> '{basis,legalReference}', app.now(), new.account_id);
  end if;
  return null;
end $$;

-- History is written once, by whomever.
create function app.keep_history() returns trigger language plpgsql as $$
begin
  perform app.refuse('forbidden');
end $$;

-- A job goes on with the rights that its account has now.
create function app.enter_job(p_job uuid, p_offices text[]) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare actor jsonb;
begin
  select jsonb_build_object('account', a.id, 'organisation', o.id, 'kind', o.kind, 'parent', o.parent_id, 'roles', a.roles) into actor
    from public.jobs j join public.accounts a on a.id = j.account_id join public.organisations o on o.id = a.organisation_id
    where j.id = p_job and a.status = 'active' and o.status = 'active' and o.id = j.organisation_id;
  if actor is null then perform app.refuse('unauthorized'); end if;
  return app.admit(actor, p_offices);
end $$;

-- The next job that nobody works on: waiting, or left behind by a process that died.
create function app.lease_job(lease interval) returns uuid language sql security definer set search_path = '' as $$
  update public.jobs set state = 'running', started_at = coalesce(started_at, app.now()), leased_until = clock_timestamp() + lease
  where id = (select id from public.jobs where state = 'queued' or state = 'running' and leased_until < clock_timestamp()
    order by id limit 1 for update skip locked)
  returning id
$$;

grant execute on function app.check_digit(text) to definer;
grant execute on function app.enter_job(uuid, text[]), app.lease_job(interval) to app;

create trigger check_event before insert on case_events for each row execute function app.check_event();
create trigger fold_event after insert on case_events for each row execute function app.fold_event();
create trigger keep_history before update or delete on case_events for each row execute function app.keep_history();
create trigger keep_all_history before truncate on case_events for each statement execute function app.keep_history();

call app.define(array[
  'app.case_number(int)',
  'app.relations(uuid,uuid,uuid)',
  'app.check_event()',
  'app.fold_event()',
  'app.enter_job(uuid,text[])',
  'app.lease_job(interval)'
]::regprocedure[]);
