-- Events: what may happen to a case, and what follows from it. The event is the write.

-- Events that count: a later event annuls one that was entered by mistake, and then neither of the two counts.
create view valid_events with (security_invoker) as
  select * from case_events e
  where annuls is null and not exists (select from case_events a where a.annuls = e.id);
grant select on valid_events to app, definer;

-- Events that can be annulled, because no later event depends on them: the last one that moved the case, and those that
-- did not move it and that no later event refers to. Never the first event of a case, one with a legal basis (whose
-- grant replaced another one for good), or an event of a referral (which has decisions of its own).
create view annullable_events with (security_invoker) as
  select e.* from valid_events e
  where e.from_state <> '' and not e.facts ? 'basis' and e.referral_id is null and not exists (
    select from valid_events later
    where later.case_id = e.case_id and later.id > e.id
      and (e.from_state <> e.to_state and later.from_state <> later.to_state
        or later.facts ->> 'document' = e.id::text));
grant select on annullable_events to definer;

-- True if the event can be annulled: see annullable_events.
create function app.annullable(e public.valid_events) returns boolean
language sql stable security definer set search_path = '' return exists (
  select from public.annullable_events a where a.id = e.id);

-- The event that moved the case to its present state; null for a caller who cannot read the case.
create function app.last_move(p_case uuid) returns uuid
language sql stable security definer set search_path = '' return (
  select id from public.valid_events
  where case_id = p_case and from_state <> to_state and app.reaches(p_case)
  order by id desc limit 1);
grant execute on function app.last_move(uuid) to app;

-- What an organisation is to a case with this owner and handler: owner (custodian: of a case in custody), handler,
-- authority (an owner that is a division or committee), committee (itself the owner or handler, or the parent of one of
-- them).
create function app.relations(organisation uuid, owner uuid, handler uuid, in_custody boolean) returns text[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return (
    select array_remove(array[
      case when organisation = owner then case when in_custody then 'custodian' else 'owner' end end,
      case when organisation = handler then 'handler' end,
      case when bool_or(o.id = owner and o.id = organisation and o.kind in ('division', 'committee'))
        then 'authority' end,
      case when bool_or(o.parent_id = organisation or o.kind = 'committee' and o.id = organisation)
        then 'committee' end], null)
    from public.organisations o where o.id in (owner, handler));
end $$;

-- True if this condition of a lifecycle step holds for the case, the caller's relations to it and the facts of the
-- event.
create function app.condition_holds(condition text, c public.cases, relations text[], p_facts jsonb, today date)
returns boolean language sql stable security definer set search_path = '' return case condition
  when 'needs_document' then exists (
    select from public.codes o where o.list = 'outcome' and o.code = c.outcome and o.needs_document)
  when 'needs_no_document_and_final' then exists (
    select from public.codes o where o.list = 'outcome' and o.code = c.outcome and not o.needs_document)
    and coalesce(c.final_on <= today, true)
  when 'negative_by_committee' then exists (select from public.codes o
    where o.list = 'outcome' and o.code = p_facts ->> 'outcome' and o.code <> 'discontinued'
      and (o.polarity <> 'negative' or 'committee' = any (relations)))
  when 'discontinued' then p_facts ->> 'outcome' = 'discontinued'
  when 'not_by_authority' then not 'authority' = any (relations)
  when 'owner_is_gone' then exists (select from public.organisations o
    where o.id = c.owner_id and o.status = 'closing' and o.closing_until < today and o.kind in ('ngo', 'iom'))
  when 'not_handed_over' then exists (select from public.valid_events d
    where d.id = (p_facts ->> 'document')::uuid and d.case_id = c.id
      and d.action in ('record_document', 'import_documented'))
    and not exists (
      select from public.valid_events h where h.case_id = c.id and h.facts ->> 'document' = p_facts ->> 'document')
  when 'only_imported' then not exists (select from public.valid_events e
    where e.case_id = c.id and e.from_state <> e.to_state and not starts_with(e.action, 'import_'))
  when 'only_imported_and_needs_document' then not exists (select from public.valid_events e
    where e.case_id = c.id and e.from_state <> e.to_state and not starts_with(e.action, 'import_'))
    and exists (select from public.codes o where o.list = 'outcome' and o.code = c.outcome and o.needs_document)
  else condition is null end;

-- True if a case may take a step with this condition: its file is not erased, and the condition holds or is null. A
-- condition about a fact that the event lacks does not hold.
create function app.holds(condition text, c public.cases, relations text[], p_facts jsonb, today date) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return c.erased_at is null
    and (condition is null or coalesce(app.condition_holds(condition, c, relations, p_facts, today), false));
end $$;

-- Returns the step of the lifecycle if the organisation may take it with this case on this day. Refuses an outdated
-- version, a step that the lifecycle does not have for this state, relation and condition, facts that do not belong to
-- it, a registration outside the days of its campaign, a document issued before the decision, and a day in the future
-- or before the last event. The service has often checked the same before.
create function app.check_step(c public.cases, p_action text, p_organisation uuid, p_facts jsonb, p_annuls uuid,
  p_on_version int, p_day date, p_referral uuid)
returns public.lifecycle language plpgsql security definer set search_path = '' as $$
declare
  step public.lifecycle; target public.valid_events; today date := app.today();
  place text := case p_action when 'register' then '#/registeredOn' else '#/occurredOn' end;
  owner uuid := coalesce(c.owner_id, (p_facts ->> 'owner')::uuid, p_organisation);
  relations text[] := app.relations(p_organisation, owner, c.handler_id, coalesce(c.in_custody, false));
begin
  select * into step from public.lifecycle where action = p_action and from_state = coalesce(c.state, '');
  if p_annuls is not null then
    select * into target from public.valid_events where id = p_annuls and case_id = c.id;
    if target.organisation_id = p_organisation and app.annullable(target) then
      relations := relations || 'recorder'::text;
    end if;
  end if;
  if app.account() is null then relations := relations || 'clock'::text; end if;
  if p_referral is not null and exists (select from public.referrals r
      where r.id = p_referral and r.case_id = c.id and r.to_id = p_organisation) then
    relations := relations || 'recipient'::text;
  end if;
  if p_on_version <> app.version_of(c) then perform app.refuse('precondition-failed'); end if;
  if step.action is null or not step.relations && relations or step.by_referral <> (p_referral is not null)
      or not app.holds(step.condition, c, relations, p_facts, today) then
    perform app.refuse('action-not-allowed');
  end if;
  if exists (select from jsonb_object_keys(p_facts) key where not key = any (step.facts)) then
    perform app.refuse('invalid-request', 'This action has no such field');
  end if;
  if p_facts ? 'region'
      and not exists (select from public.regions r where r.code = p_facts ->> 'region' and r.valid @> p_day) then
    perform app.refuse('invalid-request', 'Expected a region that existed on that day', '#/regionCode');
  end if;
  if p_facts ? 'basis' and p_facts #>> '{basis,kind}' is distinct from (
      select case
        when p_action = 'entrust' then 'custody' when o.kind in ('ngo', 'iom') then 'consent' else 'statute' end
      from public.organisations o where o.id = owner) then
    perform app.refuse('invalid-request',
      'Expected statute from an authority, and consent from any other organisation', '#/basis/kind');
  end if;
  if c.in_custody then perform app.check_representative(c.id, p_facts -> 'basis'); end if;
  if (p_facts ->> 'issuedOn')::date > p_day then
    perform app.refuse('invalid-request', 'Expected a day on or before occurredOn', '#/issuedOn');
  elsif p_facts ->> 'expiresOn' < p_facts ->> 'issuedOn' then
    perform app.refuse('invalid-request', 'Expected a day on or after issuedOn', '#/expiresOn');
  end if;
  if p_facts ? 'campaign'
      and not app.is_within(app.hold_campaign((p_facts ->> 'campaign')::uuid), p_day) then
    perform app.refuse('invalid-request', 'Expected a day within the campaign', '#/registeredOn');
  end if;
  if p_action = 'record_document' and (p_facts ->> 'issuedOn')::date < (
      select max(occurred_on) from public.valid_events where case_id = c.id and facts ? 'outcome') then
    perform app.refuse('invalid-request', 'Expected a day on or after the decision', '#/issuedOn');
  end if;
  if p_day > today then
    perform app.refuse('invalid-request', 'Expected today or an earlier day', place);
  elsif p_day < (select max(occurred_on) from public.valid_events where case_id = c.id) then
    perform app.refuse('invalid-request', 'Expected a day on or after the last event of the case', place);
  end if;
  return step;
end $$;

-- The facts that follow from an event besides its state: when the outcome is final, who handles the case, who is waited
-- for, since when and until when. p_outcome: the outcome after the event. A term is looked up only if there is one.
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
  if step.handler = 'nobody' then -- the procedure begins again
    effects := effects || jsonb_build_object('outcome', null, 'finalOn', null);
  end if;
  if waiting is not null then -- a certain outcome may have a term of its own
    effects := effects || jsonb_build_object('waitingFor', waiting, 'waitingSince', day, 'dueOn',
      case when term is not null then
        coalesce(app.term_end(day, term || '_' || p_outcome), app.term_end(day, term)) end);
  end if;
  return effects;
end $$;

-- Before an event is inserted, except by an import: locks the case, checks the step, and sets what the caller does not
-- choose; an event of a proposal copies it. What the clock does with a case, other than with a referral, it does for
-- the custodian. Refuses a case that the caller cannot read (unless the clock, a referral or a proposal caused the
-- event), what app.settleable, app.check_second_person and app.check_step refuse, and a proposal made before the last
-- change of state or identity or dated before an event recorded since.
create function app.check_event() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases; p public.proposals; target public.case_events; step public.lifecycle;
begin
  c := app.lock_case(new.case_id);
  if c.id is null and not exists (select from public.lifecycle where action = new.action and from_state = '')
      or c.id is not null and num_nonnulls(new.referral_id, new.proposal_id) = 0 and app.account() is not null
        and not app.reaches(c.id) then
    perform app.refuse('not-found');
  end if;
  if new.proposal_id is not null then
    p := app.settleable(new.proposal_id);
    if p.case_id <> new.case_id or p.action <> new.action then perform app.refuse('not-found'); end if;
    perform app.check_second_person(p.organisation_id, p.proposed_by, '{supervisor}', false);
    if p.stands_on <> app.last_move(c.id) or p.identity_version is distinct from app.identity_version(c.id) then
      perform app.refuse('action-not-allowed',
        'The case or the identity has changed since this was proposed');
    elsif p.occurred_on < (select max(occurred_on) from public.valid_events where case_id = c.id) then
      perform app.refuse('action-not-allowed', 'A later event was recorded since this was proposed');
    elsif not exists (select from public.accounts where id = p.proposed_by and status = 'active') then
      perform app.refuse('proposal-settled');
    end if;
    new.facts := p.facts;
    new.annuls := p.annuls;
    new.occurred_on := p.occurred_on;
    new.on_version := null;
  end if;
  new.organisation_id := coalesce(p.organisation_id, app.org(),
    (select r.from_id from public.referrals r where r.id = new.referral_id),
    (select i.custodian_id from public.installation i));
  if new.facts ? 'basis' then
    new.facts := new.facts || jsonb_build_object('basis', app.with_form(new.facts -> 'basis'));
  end if;
  new.account_id := app.account();
  new.occurred_on := coalesce(new.occurred_on, app.today());
  step := app.check_step(c, new.action, new.organisation_id, new.facts, new.annuls, new.on_version, new.occurred_on,
    new.referral_id);
  if step.two_persons and p.id is null then perform app.refuse('two-persons-required'); end if;
  select * into target from public.case_events where id = new.annuls;
  new.id := uuidv7(); -- made after the lock, so that the ids of a case have the order of its events
  new.from_state := step.from_state;
  new.to_state := case when target.from_state <> target.to_state then target.from_state else step.to_state end;
  new.recorded_at := clock_timestamp();
  new.facts := new.facts || app.effects(step, new.facts, new.occurred_on,
    coalesce(c.owner_id, (new.facts ->> 'owner')::uuid, new.organisation_id),
    coalesce(new.facts ->> 'outcome', c.outcome));
  return new;
end $$;
create trigger check_event before insert on case_events for each row when (new.job_id is null)
  execute function app.check_event();

-- Merges objects in the order of the aggregate: the last value of each key wins.
create aggregate app.merged(jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}');
grant execute on function app.merged(jsonb) to definer;

-- Sets the rows of these cases to the fold of their events that count: the last state, and the last value of each fact.
create function app.fold(p_cases uuid[]) returns void language sql security definer set search_path = '' as $$
  update public.cases c set state = s.state, version = version + 1, updated_at = s.recorded_at,
    outcome = s.facts ->> 'outcome', final_on = (s.facts ->> 'finalOn')::date,
    region_code = s.facts ->> 'region', category = s.facts ->> 'category',
    causes = array(select jsonb_array_elements_text(s.facts -> 'causes')), handler_id = (s.facts ->> 'handler')::uuid,
    waiting_for = nullif(s.facts ->> 'waitingFor', 'nobody'), waiting_since = (s.facts ->> 'waitingSince')::date,
    due_on = (s.facts ->> 'dueOn')::date, in_custody = coalesce(s.facts #>> '{basis,kind}' = 'custody', false)
  from (
    select e.case_id, max(e.recorded_at) as recorded_at,
      app.merged(e.facts order by e.id) filter (where stands) as facts,
      (array_agg(e.to_state order by e.id desc) filter (where stands and e.from_state <> e.to_state))[1] as state
    from public.case_events e, lateral (
      select e.annuls is null and not exists (
        select from public.case_events a where a.annuls = e.id) as stands) s
    where e.case_id = any (p_cases)
    group by e.case_id) s
  where c.id = s.case_id
$$;

-- The check digit of a case number: ISO 7064 MOD 11,10.
create function app.check_digit(digits text) returns int language plpgsql immutable as $$
declare p int := 10;
begin
  for i in 1 .. length(digits) loop
    p := (p + substr(digits, i, 1)::int) % 10;
    p := case p when 0 then 10 else p end * 2 % 11;
  end loop;
  return (11 - p) % 10;
end $$;
grant execute on function app.check_digit(text) to definer;

-- Returns an unused case number. Random, so that a number does not reveal how many cases others have registered.
create function app.case_number(year int) returns text language plpgsql security definer set search_path = '' as $$
declare country text := (select i.country from public.installation i); digits text; candidate text;
begin
  loop
    digits := lpad((('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint % 10000000)::text, 7, '0');
    candidate := country || '-' || year || '-' || digits || '-' || app.check_digit(year || digits);
    exit when not exists (select from public.cases c where c.number = candidate);
  end loop;
  return candidate;
end $$;

-- After events were inserted: creates the row of each case whose first event is one of them, from all of its events.
create function app.make_cases() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where from_state = '') then return null; end if;
  insert into public.cases (id, number, campaign_id, category, causes, region_code, owner_id, handler_id, assignee_id,
      state, outcome, final_on, registered_on, external_hmac, waiting_for, waiting_since, due_on, updated_at)
    select n.case_id, app.case_number(extract(year from n.registered_on)::int), (f ->> 'campaign')::uuid,
      f ->> 'category', array(select jsonb_array_elements_text(f -> 'causes')), f ->> 'region',
      coalesce((f ->> 'owner')::uuid, n.organisation_id), (f ->> 'handler')::uuid, n.assignee, n.state, f ->> 'outcome',
      (f ->> 'finalOn')::date, n.registered_on, decode(f ->> 'externalHmac', 'hex'), f ->> 'waitingFor',
      (f ->> 'waitingSince')::date, (f ->> 'dueOn')::date, n.recorded_at
    from (
      select w.case_id, app.merged(w.facts order by w.id) as f, min(w.occurred_on) as registered_on,
        max(w.recorded_at) as recorded_at, (array_agg(w.to_state order by w.id desc))[1] as state,
        (array_agg(w.organisation_id))[1] as organisation_id,
        (array_agg(w.account_id) filter (where w.job_id is null))[1] as assignee
      from written w
      group by w.case_id
      having bool_or(w.from_state = '')) n;
  return null;
end $$;
create trigger then_1_make_cases after insert on case_events referencing new table as written
  for each statement execute function app.make_cases();

-- After events were inserted: folds the cases that existed before. Refuses two events of one case in a statement,
-- because each was checked against the row before the statement; an import has checked its events in their order.
create function app.fold_rows() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from written where job_id is null group by case_id having count(*) > 1) then
    perform app.refuse('action-not-allowed');
  end if;
  if exists (select from written where from_state <> '') then
    perform app.fold(array(select case_id from written group by case_id having not bool_or(from_state = '')));
  end if;
  return null;
end $$;
create trigger then_5_fold_rows after insert on case_events referencing new table as written
  for each statement execute function app.fold_rows();

-- Before an event is changed: refuses it, unless an erasure removes the facts by which the person can be found.
create function app.keep_facts() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.facts = old.facts - app.match_keys()
      and to_jsonb(new) - 'facts' = to_jsonb(old) - 'facts' then
    return new;
  end if;
  perform app.refuse('forbidden');
end $$;
create trigger keep_history before update or delete on case_events for each row execute function app.keep_facts();

-- Events are read by every organisation that can read the case, and appended by the service: see app.check_event.
grant select, insert (case_id, action, occurred_on, facts, proposal_id, annuls, on_version) on case_events to app;
create policy seen on case_events for select to app using (
  (select true from case_access a where a.case_id = case_events.case_id limit 1));
create policy appended on case_events for insert to app with check (job_id is null);
create trigger keep_all_history before truncate on case_events for each statement execute function app.keep_history();

-- The text of an event is read by the organisation that wrote it and by its committee, while they can read the case.
grant select, insert (event_id, case_id, organisation_id, content, id) on event_texts to app;
create policy seen on event_texts for select to app using (
  app.own_or_division(organisation_id)
  and (select true from case_access a where a.case_id = event_texts.case_id limit 1));
-- It is written by the account that recorded the event, and only in the same transaction.
create policy written on event_texts for insert to app with check (exists (
  select from case_events e
  where e.id = event_id and e.case_id = event_texts.case_id and e.organisation_id = event_texts.organisation_id
    and e.account_id = (select app.account()) and e.recorded_at >= now()));
