-- The authority's finding, as the second person confirmed it. The newest one that stands is the current one.
create table decisions (
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  identity_version int,
  outcome text not null,
  country text, -- the State, where the outcome speaks of one
  legal_reference text,
  reason text,
  content jsonb not null, -- reasons and evidence, in words
  final_on date,
  annulled boolean not null default false
);
create index on decisions (case_id);

-- What the person ends up holding. A number is unique in the register of one committee only.
create table documents (
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  committee_id uuid not null references organisations,
  type text not null,
  number_hmac bytea not null,
  iin_hmac bytea,
  content jsonb not null, -- number, issuer, IIN
  issued_on date not null,
  expires_on date check (expires_on >= issued_on),
  annulled boolean not null default false
);
create unique index documents_number on documents (committee_id, type, number_hmac) where not annulled;
create index on documents (case_id);
create index on documents (number_hmac);
create index on documents (iin_hmac);

call app.guard(array['decisions', 'documents']::regclass[]);
grant select on decisions, documents to app;
grant insert (event_id, case_id, committee_id, type, number_hmac, content, issued_on, expires_on) on documents to app;

create policy seen on decisions for select to app using (
  (select true from case_access a where a.case_id = decisions.case_id and a.identity_until > app.now() limit 1));
create policy seen on documents for select to app using (
  (select true from case_access a where a.case_id = documents.case_id and a.identity_until > app.now() limit 1));
-- An import brings its documents itself; every other one comes with the confirmation of a proposal.
create policy imported on documents for insert to app with check (
  committee_id = coalesce((select app.parent()), (select app.org())) and exists (select from case_events e
    where e.id = event_id and e.case_id = documents.case_id and e.action = 'import_documented'
      and e.facts ->> 'documentType' = documents.type and e.occurred_on = documents.issued_on and e.account_id = (select app.account()) and e.recorded_at >= now()));

-- Is this number in the caller's own register? Each authority asks for itself only.
create function app.in_register(p_type text, p_number_hmac bytea) returns boolean
language sql stable security definer set search_path = '' return exists (
  select from public.documents d where d.committee_id in (app.org(), app.parent()) and d.type = p_type
    and d.number_hmac = p_number_hmac and not d.annulled);

-- May this happen to the case? Decided here, whatever the service thinks. Gives the step of the lifecycle.
create function app.check_step(c public.cases, p_action text, p_organisation uuid, p_facts jsonb, p_annuls uuid, p_on_version int, p_day date)
returns public.lifecycle language plpgsql security definer set search_path = '' as $$
declare
  step public.lifecycle; target public.standing_events; today date := app.today();
  owner uuid := coalesce(c.owner_id, (p_facts ->> 'owner')::uuid, p_organisation);
  relations text[] := app.relations(p_organisation, owner, c.handler_id);
begin
  select * into step from public.lifecycle where action = p_action and from_state = coalesce(c.state, '');
  if p_annuls is not null then
    select * into target from public.standing_events where id = p_annuls and case_id = c.id;
    if target.organisation_id = p_organisation and app.annullable(target) then relations := relations || 'recorder'::text; end if;
  end if;
  if p_on_version <> c.version then perform app.refuse('precondition-failed'); end if;
  if step.action is null or not step.relations && relations or not app.holds(step.condition, c, relations, p_facts, today) then
    perform app.refuse('action-not-allowed');
  end if;
  if exists (select from jsonb_object_keys(p_facts) key where not key = any (step.facts)) then
    perform app.refuse('invalid-request', 'This action does not say that');
  end if;
  if p_facts ? 'region' and not exists (select from public.regions r where r.code = p_facts ->> 'region' and r.valid @> p_day) then
    perform app.refuse('invalid-request', 'No region on that day');
  end if;
  if p_facts ? 'basis' and p_facts #>> '{basis,kind}' is distinct from (
      select case when o.kind in ('ngo', 'iom') then 'consent' else 'statute' end from public.organisations o where o.id = owner) then
    perform app.refuse('invalid-request', 'An authority registers by statute, everybody else by consent');
  end if;
  if (p_facts ->> 'issuedOn')::date > p_day or p_facts ->> 'expiresOn' < p_facts ->> 'issuedOn' then
    perform app.refuse('invalid-request', 'A document is issued before it is recorded, and before it expires');
  end if;
  if p_day > today then
    perform app.refuse('invalid-request', 'occurredOn lies in the future');
  elsif p_day < (select max(occurred_on) from public.standing_events where case_id = c.id) then
    perform app.refuse('invalid-request', 'occurredOn is earlier than what happened before');
  end if;
  return step;
end $$;

-- An event that nothing stands on: the last that moved the case, or one that moved nothing and that none refers to. Not
-- the first one, and not a reopening, whose grant took the place of another one for good.
create function app.annullable(e public.standing_events) returns boolean
language sql stable security definer set search_path = '' return
  e.from_state <> '' and e.action <> 'reopen' and not exists (
    select from public.standing_events later where later.case_id = e.case_id and later.id > e.id
      and (e.from_state <> e.to_state and later.from_state <> later.to_state or later.facts ->> 'document' = e.id::text));

create function app.identity_version(p_case uuid) returns int language plpgsql stable security definer set search_path = '' as $$
begin
  return (select max(version) from public.zone_versions where case_id = p_case and zone = 'identity');
end $$;

create function app.check_proposal() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases; step public.lifecycle;
begin
  select * into c from public.cases where id = new.case_id for update;
  if c.id is null or not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  step := app.check_step(c, new.action, app.org(), new.facts, new.annuls, new.on_version, coalesce(new.occurred_on, app.today()));
  if not step.two_persons then perform app.refuse('action-not-allowed'); end if;
  update public.proposals set state = 'expired'
    where case_id = c.id and organisation_id = app.org() and state = 'open' and expires_on < app.today();
  new.organisation_id := app.org();
  new.proposed_by := app.account();
  new.proposed_at := app.now();
  new.stands_on := app.last_move(c.id);
  new.expires_on := app.term_end(app.today(), 'proposal_expiry');
  new.identity_version := app.identity_version(c.id);
  new.state := 'open';
  return new;
end $$;
create trigger check_proposal before insert on proposals for each row execute function app.check_proposal();

-- The open proposal, if the caller may settle it: another account, a supervisor, of its organisation or the one above.
create function app.settleable(p_proposal uuid) returns public.proposals language plpgsql security definer set search_path = '' as $$
declare p public.proposals;
begin
  select * into p from public.proposals where id = p_proposal for update;
  if p.id is null or not app.reaches(p.case_id) or not app.own_or_division(p.organisation_id) then perform app.refuse('not-found'); end if;
  if p.state <> 'open' or p.expires_on < app.today() then perform app.refuse('proposal-settled'); end if;
  if not app.has_role('supervisor') then perform app.refuse('forbidden'); end if;
  return p;
end $$;

-- A rejection leaves the case as it is. Whoever made the proposal may take it back.
create function app.reject_proposal(p_proposal uuid, p_version int, p_rejection jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare p public.proposals;
begin
  select * into p from public.proposals where id = p_proposal and proposed_by = app.account() and state = 'open'
    and expires_on >= app.today() and app.reaches(case_id) for update;
  if p.id is null then p := app.settleable(p_proposal); end if;
  if p.version <> p_version then perform app.refuse('precondition-failed'); end if;
  update public.proposals set state = 'rejected', settled_by = app.account(), settled_at = app.now(),
    rejection = p_rejection, version = version + 1 where id = p.id;
end $$;

create function app.check_event() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases; p public.proposals; target public.case_events; step public.lifecycle;
begin
  select * into c from public.cases where id = new.case_id for update;
  if c.id is null and not exists (select from public.lifecycle where action = new.action and from_state = '')
    or c.id is not null and not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if new.proposal_id is not null then
    p := app.settleable(new.proposal_id);
    if p.case_id <> new.case_id or p.action <> new.action then perform app.refuse('not-found'); end if;
    if p.proposed_by = app.account() then perform app.refuse('same-person'); end if;
    if p.stands_on <> app.last_move(c.id) or p.identity_version is distinct from app.identity_version(c.id) then
      perform app.refuse('action-not-allowed', 'The case, or what is known of the person, has changed since this was proposed');
    elsif not exists (select from public.accounts where id = p.proposed_by and status = 'active') then
      perform app.refuse('proposal-settled');
    end if;
    new.facts := p.facts;
    new.annuls := p.annuls;
    new.occurred_on := p.occurred_on;
    new.on_version := null;
  end if;
  new.organisation_id := coalesce(p.organisation_id, app.org());
  new.account_id := app.account();
  new.occurred_on := coalesce(new.occurred_on, app.today());
  step := app.check_step(c, new.action, new.organisation_id, new.facts, new.annuls, new.on_version, new.occurred_on);
  if step.two_persons and p.id is null then perform app.refuse('two-persons-required'); end if;
  select * into target from public.case_events where id = new.annuls;
  new.id := uuidv7(); -- behind the lock, so that ids stand in the order of what happened
  new.from_state := step.from_state;
  new.to_state := case when target.from_state <> target.to_state then target.from_state else step.to_state end;
  new.recorded_at := clock_timestamp();
  new.facts := new.facts || app.effects(step, new.facts, new.occurred_on,
    coalesce(c.owner_id, (new.facts ->> 'owner')::uuid, new.organisation_id), coalesce(new.facts ->> 'outcome', c.outcome));
  return new;
end $$;
create trigger check_event before insert on case_events for each row execute function app.check_event();

-- What follows from an event beyond its state: who handles the case, who is waited for, since when and until when.
create function app.effects(step public.lifecycle, facts jsonb, day date, owner uuid, p_outcome text) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare o public.codes; waiting text := step.waiting_for; term text := step.term; effects jsonb := '{}';
begin
  select * into o from public.codes where list = 'outcome' and code = p_outcome;
  if facts ? 'outcome' then
    effects := jsonb_build_object('finalOn', case when o.polarity = 'negative' then app.term_end(day, 'appeal') end);
  end if;
  if waiting = 'outcome' then
    waiting := case when o.needs_document then 'handler' else 'owner' end;
    term := case when o.polarity = 'negative' then 'appeal' end;
  end if;
  if step.handler is not null then
    effects := effects || jsonb_build_object('handler', case step.handler when 'owner' then owner end);
  end if;
  if step.handler = 'nobody' then -- the procedure begins anew
    effects := effects || jsonb_build_object('outcome', null, 'finalOn', null);
  end if;
  if waiting is not null then -- a term may be another one for a certain outcome
    effects := effects || jsonb_build_object('waitingFor', waiting, 'waitingSince', day,
      'dueOn', coalesce(app.term_end(day, term || '_' || p_outcome), app.term_end(day, term)));
  end if;
  return effects;
end $$;

-- The row becomes what its standing events say: the state of the last one that moved it, and of each fact the last word.
create function app.fold(p_cases uuid[]) returns void language sql security definer set search_path = '' as $$
  update public.cases c set state = s.to_state, version = version + 1, updated_at = s.recorded_at,
    outcome = f.facts ->> 'outcome', final_on = (f.facts ->> 'finalOn')::date,
    region_code = f.facts ->> 'region', category = f.facts ->> 'category',
    causes = array(select jsonb_array_elements_text(f.facts -> 'causes')), handler_id = (f.facts ->> 'handler')::uuid,
    waiting_for = nullif(f.facts ->> 'waitingFor', 'nobody'), waiting_since = (f.facts ->> 'waitingSince')::date,
    due_on = (f.facts ->> 'dueOn')::date
  from unnest(p_cases) touched(id),
    lateral (select to_state, (select max(recorded_at) from public.case_events a where a.case_id = touched.id) as recorded_at
      from public.case_events e where e.id = app.last_move(touched.id)) s,
    lateral (select jsonb_object_agg(key, value order by e.id) as facts
      from public.standing_events e, jsonb_each(e.facts) where e.case_id = touched.id) f
  where c.id = touched.id
$$;

-- What the events of a statement bring about, all at once, in the order of the triggers' names. Each part asks first
-- whether it has something to do: a registration does not pay for what it does not bring about.
create function app.make_cases() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where from_state = '') then return null; end if;
  insert into public.cases (id, number, campaign_id, category, causes, region_code, owner_id, assignee_id, state, registered_on,
      external_hmac, waiting_for, waiting_since, due_on, updated_at)
    select w.case_id, app.case_number(extract(year from w.occurred_on)::int), (f ->> 'campaign')::uuid, f ->> 'category',
      array(select jsonb_array_elements_text(f -> 'causes')), f ->> 'region', coalesce((f ->> 'owner')::uuid, w.organisation_id),
      case when w.job_id is null then w.account_id end, w.to_state, w.occurred_on, decode(f ->> 'externalHmac', 'hex'),
      f ->> 'waitingFor', (f ->> 'waitingSince')::date, (f ->> 'dueOn')::date, w.recorded_at
    from written w, lateral (select w.facts as f) facts where w.from_state = '';
  return null;
end $$;

-- The owner's own legal basis is its grant; the committee of a division that owns sees index and identity, by statute.
create function app.open_and_close_grants() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from written where action in ('reopen', 'withdraw')) then
    update public.grants g set closed_at = app.now(), closed_reason = case w.action when 'reopen' then 'renewed' else 'withdrawn' end
      from written w where g.case_id = w.case_id and g.closed_at is null
        and (w.action = 'reopen' and g.recipient_id = g.owner_id and g.purpose = 'case_management'
          or w.action = 'withdraw' and g.recipient_id <> g.owner_id and g.basis = 'consent');
  end if;
  if not exists (select from written where facts ? 'basis') then return null; end if;
  insert into public.grants (case_id, owner_id, recipient_id, purpose, zones, basis, legal_reference, method, language, form_version,
      representative, opened_at, given_by)
    select w.case_id, c.owner_id, g.recipient, g.purpose::public.purpose, g.zones::public.zone[], (b ->> 'kind')::public.basis,
      b ->> 'legalReference', b ->> 'method', b ->> 'language', b ->> 'formVersion', b ->> 'representative', app.now(), w.account_id
    from written w join public.cases c on c.id = w.case_id join public.organisations o on o.id = c.owner_id,
      lateral (select w.facts -> 'basis' as b) basis,
      lateral (values (o.id, 'case_management', '{identity,contact,whereabouts,protection}'),
        (case when o.kind = 'division' and w.from_state = '' then o.parent_id end, 'status_determination', '{identity}')) g(recipient, purpose, zones)
    where b is not null and g.recipient is not null;
  return null;
end $$;

-- What was proposed is settled, and what was typed with it stands where it belongs.
create function app.settle_proposals() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where proposal_id is not null) then return null; end if;
  update public.proposals p set state = 'confirmed', settled_by = w.account_id, settled_at = w.recorded_at, version = version + 1
    from written w where p.id = w.proposal_id;
  insert into public.event_texts (event_id, case_id, organisation_id, content)
    select w.id, w.case_id, w.organisation_id, p.content from written w join public.proposals p on p.id = w.proposal_id
    where w.action not in ('decide', 'discontinue', 'record_document') and p.content <> '{}';
  insert into public.documents (event_id, case_id, committee_id, type, number_hmac, iin_hmac, content, issued_on, expires_on)
    select w.id, w.case_id, coalesce(o.parent_id, o.id), f ->> 'documentType', decode(f ->> 'numberHmac', 'hex'), decode(f ->> 'iinHmac', 'hex'),
      p.content, (f ->> 'issuedOn')::date, (f ->> 'expiresOn')::date
    from written w join public.proposals p on p.id = w.proposal_id join public.organisations o on o.id = w.organisation_id,
      lateral (select w.facts as f) facts
    where w.action = 'record_document';
  update public.decisions d set annulled = true from written w where d.event_id = w.annuls;
  update public.documents d set annulled = true from written w where d.event_id = w.annuls;
  return null;
end $$;

create function app.keep_decisions() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where to_state = 'decided' and facts ? 'outcome') then return null; end if;
  insert into public.decisions (event_id, case_id, identity_version, outcome, country, legal_reference, reason, content, final_on)
    select w.id, w.case_id, p.identity_version, f ->> 'outcome', f ->> 'country', f ->> 'legalReference', f ->> 'reason',
      coalesce(p.content, '{}'), (f ->> 'finalOn')::date
    from written w left join public.proposals p on p.id = w.proposal_id, lateral (select w.facts as f) facts
    where w.to_state = 'decided' and f ? 'outcome';
  return null;
end $$;

create function app.fold_rows() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  -- Each event was checked against the row as it stood before the statement.
  if (select count(*) <> count(distinct case_id) from written) then perform app.refuse('action-not-allowed'); end if;
  if exists (select from written where from_state <> '') then
    perform app.fold(array(select case_id from written where from_state <> ''));
  end if;
  return null;
end $$;

create trigger then_1_make_cases after insert on case_events referencing new table as written
  for each statement execute function app.make_cases();
create trigger then_2_open_and_close_grants after insert on case_events referencing new table as written
  for each statement execute function app.open_and_close_grants();
create trigger then_3_settle_proposals after insert on case_events referencing new table as written
  for each statement execute function app.settle_proposals();
create trigger then_4_keep_decisions after insert on case_events referencing new table as written
  for each statement execute function app.keep_decisions();
create trigger then_5_fold_rows after insert on case_events referencing new table as written
  for each statement execute function app.fold_rows();

-- History is written once, by whomever.
create function app.keep_history() returns trigger language plpgsql as $$
begin
  perform app.refuse('forbidden');
end $$;
create trigger keep_history before update or delete on case_events for each row execute function app.keep_history();
create trigger keep_all_history before truncate on case_events for each statement execute function app.keep_history();

grant execute on function app.in_register(text, bytea), app.reject_proposal(uuid, int, jsonb), app.annullable(standing_events) to app;
grant execute on function app.identity_version(uuid), app.check_step(public.cases, text, uuid, jsonb, uuid, int, date), app.annullable(standing_events),
  app.settleable(uuid), app.effects(public.lifecycle, jsonb, date, uuid, text), app.fold(uuid[]) to definer;

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
grant execute on function app.enter_job(uuid, text[]), app.lease_job(interval) to app;

call app.define(array[
  'app.identity_version(uuid)',
  'app.in_register(text,bytea)',
  'app.check_step(cases,text,uuid,jsonb,uuid,int,date)',
  'app.annullable(standing_events)',
  'app.check_proposal()',
  'app.settleable(uuid)',
  'app.reject_proposal(uuid,int,jsonb)',
  'app.check_event()',
  'app.effects(lifecycle,jsonb,date,uuid,text)',
  'app.fold(uuid[])',
  'app.make_cases()',
  'app.open_and_close_grants()',
  'app.settle_proposals()',
  'app.keep_decisions()',
  'app.fold_rows()',
  'app.enter_job(uuid,text[])',
  'app.lease_job(interval)'
]::regprocedure[]);
