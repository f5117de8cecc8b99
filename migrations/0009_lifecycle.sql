-- What may happen to a case: seeded from policy.ts, compared by a test. A from_state of '' makes the case.
create table lifecycle (
  action text not null,
  from_state text not null,
  to_state text not null,
  relations text[] not null,
  two_persons boolean not null,
  condition text, -- what must hold beside: see app.holds()
  facts text[] not null, -- what an event of this action may say
  handler text check (handler in ('owner', 'nobody')),
  waiting_for text, -- null: nothing changes; 'outcome': whoever the outcome puts in charge
  term text,
  primary key (action, from_state)
);

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

-- A step that takes two persons, as one of them wants it. The other one's event carries it out word for word.
create table proposals (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  action text not null,
  occurred_on date, -- null: the day of its confirmation
  facts jsonb not null default '{}',
  content jsonb not null default '{}', -- what was typed
  annuls uuid,
  on_version int,
  stands_on uuid, -- the event that had brought the case to its state when it was made
  identity_version int, -- what was known of the person when it was made
  organisation_id uuid not null references organisations,
  proposed_by uuid not null references accounts,
  proposed_at timestamptz not null,
  expires_on date not null,
  state text not null check (state in ('open', 'confirmed', 'rejected', 'expired')),
  settled_by uuid references accounts,
  settled_at timestamptz,
  rejection jsonb,
  version int not null default 1,
  check ((state in ('confirmed', 'rejected')) = (settled_by is not null)),
  constraint proposals_two_persons check (state <> 'confirmed' or settled_by <> proposed_by)
);
create unique index proposals_pending on proposals (case_id, organisation_id) where state = 'open';

-- What happened to a case: append-only. The event is the write; the row of the case is the fold of its events.
create table case_events (
  id uuid primary key,
  case_id uuid not null references cases deferrable initially deferred, -- the first event makes its case
  action text not null,
  from_state text not null,
  to_state text not null,
  occurred_on date not null,
  recorded_at timestamptz not null,
  organisation_id uuid not null references organisations,
  account_id uuid not null references accounts,
  facts jsonb not null default '{}', -- codes, dates and ids only
  proposal_id uuid references proposals,
  annuls uuid references case_events,
  on_version int, -- the version of the case that its writer had read
  job_id uuid references jobs, line int, -- where an imported event came from
  check ((job_id is null) = (line is null)),
  check (starts_with(action, 'import_') = (job_id is not null)),
  check ((action = 'annul') = (annuls is not null))
);
create index on case_events (case_id, id);
-- Partial, because hardly any event has one: a whole index would be taken for the way to all the others.
create unique index on case_events (proposal_id) where proposal_id is not null;
create unique index on case_events (annuls) where annuls is not null;
alter table proposals add foreign key (annuls) references case_events, add foreign key (stands_on) references case_events;

-- What was typed with an event: its reason, in words.
create table event_texts (
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  organisation_id uuid not null references organisations,
  content jsonb not null
);

call app.guard(array['lifecycle', 'jobs', 'proposals', 'case_events', 'event_texts']::regclass[]);

-- Events entered by mistake are annulled by later ones, and neither of the two counts.
create view standing_events with (security_invoker) as
  select * from case_events e where annuls is null and not exists (select from case_events a where a.annuls = e.id);

grant select on standing_events to app, definer;

-- The event that has brought a case to the state that it is in.
create function app.last_move(p_case uuid) returns uuid language sql stable security definer set search_path = '' return (
  select id from public.standing_events where case_id = p_case and from_state <> to_state order by id desc limit 1);
grant execute on function app.last_move(uuid) to app, definer;
grant select on lifecycle, jobs, proposals, case_events, event_texts to app;
grant insert (id, case_id, action, occurred_on, facts, content, annuls, on_version) on proposals to app;
grant insert (case_id, action, occurred_on, facts, proposal_id, annuls, on_version, job_id, line) on case_events to app;
grant insert (event_id, case_id, organisation_id, content) on event_texts to app;
grant insert (id, kind), update (state, started_at, ended_at, leased_until, failure) on jobs to app;

-- Of one's own organisation, or of one of its divisions: what a committee may look into and confirm.
create function app.own_or_division(organisation uuid) returns boolean language sql stable security definer set search_path = '' return
  organisation = app.org() or exists (select from public.organisations o where o.id = organisation and o.parent_id = app.org());
grant execute on function app.own_or_division(uuid) to app, definer;

create policy public_knowledge on lifecycle for select to app using (true);
create policy own on jobs to app using (account_id = (select app.account()))
  with check (account_id = (select app.account()) and (select app.kind()) in ('division', 'committee'));
create policy seen on case_events for select to app using (
  (select true from case_access a where a.case_id = case_events.case_id limit 1));
create policy appended on case_events for insert to app with check (
  job_id is null or exists (select from jobs j where j.id = job_id and j.account_id = (select app.account()) and j.state = 'running'));
create policy seen on proposals for select to app using (
  app.own_or_division(organisation_id) and (select true from case_access a where a.case_id = proposals.case_id limit 1));
create policy proposed on proposals for insert to app with check (organisation_id = (select app.org()));
create policy seen on event_texts for select to app using (
  app.own_or_division(organisation_id) and (select true from case_access a where a.case_id = event_texts.case_id limit 1));
-- Together with its event, or never.
create policy written on event_texts for insert to app with check (exists (
  select from case_events e where e.id = event_id and e.case_id = event_texts.case_id
    and e.organisation_id = event_texts.organisation_id and e.account_id = (select app.account()) and e.recorded_at >= now()));

-- The day on which a term ends that begins on this day; working days are Monday to Friday. Null: there is no such term.
create function app.term_end(day date, p_term text) returns date language sql stable security definer set search_path = '' return (
  select case when t.unit <> 'working_days' then (day + (t.value || ' ' || t.unit)::interval)::date
    else (select d::date from generate_series(day + 1, day + t.value * 2 + 3, interval '1 day') d
      where extract(isodow from d) < 6 order by d offset t.value - 1 limit 1) end
  from public.terms t where t.term = p_term);
grant execute on function app.term_end(date, text) to app, definer;

-- What an organisation is to a case. A committee stands above its divisions, and above what it handles itself.
create function app.relations(organisation uuid, owner uuid, handler uuid) returns text[]
language sql stable security definer set search_path = '' return array_remove(array[
    case when organisation = owner then 'owner' end,
    case when organisation = handler then 'handler' end,
    case when exists (select from public.organisations o where o.id = owner and o.id = organisation and o.kind in ('division', 'committee'))
      then 'authority' end,
    case when exists (select from public.organisations o where o.id in (owner, handler)
      and (o.parent_id = organisation or o.kind = 'committee' and o.id = organisation)) then 'committee' end
  ], null);

-- The conditions of the lifecycle by name: the same names as in policy.ts.
create function app.holds(condition text, c public.cases, relations text[], p_facts jsonb, today date) returns boolean
language sql stable security definer set search_path = '' return case condition
  when 'needs_document' then exists (
    select from public.codes o where o.list = 'outcome' and o.code = c.outcome and o.needs_document)
  when 'needs_no_document_and_final' then exists (
    select from public.codes o where o.list = 'outcome' and o.code = c.outcome and not o.needs_document)
    and coalesce(c.final_on <= today, true)
  when 'negative_by_committee' then exists (
    select from public.codes o where o.list = 'outcome' and o.code = p_facts ->> 'outcome' and o.code <> 'discontinued'
      and (o.polarity <> 'negative' or 'committee' = any (relations)))
  when 'discontinued' then p_facts ->> 'outcome' = 'discontinued'
  when 'not_handed_over' then exists (
    select from public.standing_events d where d.id = (p_facts ->> 'document')::uuid and d.case_id = c.id
      and d.action in ('record_document', 'import_documented'))
    and not exists (select from public.standing_events h where h.case_id = c.id and h.facts ->> 'document' = p_facts ->> 'document')
  when 'only_imported' then not exists (
    select from public.standing_events e where e.case_id = c.id and e.from_state <> e.to_state and not starts_with(e.action, 'import_'))
  when 'only_imported_and_needs_document' then not exists (
    select from public.standing_events e where e.case_id = c.id and e.from_state <> e.to_state and not starts_with(e.action, 'import_'))
    and exists (select from public.codes o where o.list = 'outcome' and o.code = c.outcome and o.needs_document)
  else condition is null end;

grant execute on function app.relations(uuid, uuid, uuid) to app;
grant execute on function app.relations(uuid, uuid, uuid), app.holds(text, public.cases, text[], jsonb, date) to definer;

call app.define(array[
  'app.last_move(uuid)',
  'app.own_or_division(uuid)',
  'app.term_end(date,text)',
  'app.relations(uuid,uuid,uuid)',
  'app.holds(text,cases,text[],jsonb,date)'
]::regprocedure[]);
