-- Imports by the batch, in sets. One reviewed function writes all that an import brings; nobody else writes events of a
-- job, documents without a proposal, or what is known of a person in somebody else's name.
revoke insert (job_id, line) on case_events from app;
drop index case_events_expr_idx; -- figures are counted from rows of their own now
drop policy appended on case_events;
create policy appended on case_events for insert to app with check (job_id is null);
drop policy imported on documents;
revoke insert on documents from app;
drop policy written on zone_versions;
-- The owner writes zones, until the person has withdrawn or another case went on for this one.
create policy written on zone_versions for insert to app with check (
  written_by = (select app.account()) and exists (select from cases c where c.id = case_id and c.owner_id = (select app.org())
    and c.state not in ('withdrawn', 'merged')
    and (zone <> 'protection' or (select app.has_role('supervisor')) or c.assignee_id = (select app.account()))));

-- Measured: the look at each key that a row refers to is a third of what an import costs. These are the database's own
-- word: who writes an event is whoever entered, and what is kept of the grants refers to what they refer to. Nobody may
-- delete what they refer to.
alter table case_events drop constraint case_events_organisation_id_fkey, drop constraint case_events_account_id_fkey;
alter table case_access drop constraint case_access_organisation_id_fkey, drop constraint case_access_case_id_fkey;

-- Of each fact the last word.
create aggregate app.merged(jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}');
grant execute on function app.merged(jsonb) to definer;

create or replace function app.check_digit(digits text) returns int language plpgsql immutable as $$
declare p int := 10;
begin
  for i in 1 .. length(digits) loop
    p := (p + substr(digits, i, 1)::int) % 10;
    p := case p when 0 then 10 else p end * 2 % 11;
  end loop;
  return (11 - p) % 10;
end $$;

-- What an import tells of one case, and what the batch finds it to be.
create type app.import_row as (
  line int, case_id uuid, owner uuid, external_hmac text,
  registered_on date, region text, category text, causes jsonb, outcome text, decided_on date,
  document_type text, issued_on date, expires_on date, number_hmac text, document jsonb,
  identity jsonb, sex text, birth_year int, identifiers jsonb,
  stage int, -- of the steps below: the last one that the case has behind it, 0 of a new one; null: it has gone another way
  field text, reason text
);

-- The steps by which imports bring a case as far as it is.
create view import_steps with (security_invoker) as
  select row_number() over (order by array_position(array['import_registered', 'import_decided', 'import_documented'], action)) as stage, l.*
  from lifecycle l where starts_with(action, 'import_');
grant select on import_steps to definer;

grant create on schema app to definer;
set local role definer;

-- A random number: it tells nobody how many cases others registered.
create or replace function app.case_number(year int) returns text language plpgsql security definer set search_path = '' as $$
declare country text := (select i.country from public.installation i); digits text; candidate text;
begin
  loop
    digits := lpad((('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint % 10000000)::text, 7, '0');
    candidate := country || '-' || year || '-' || digits || '-' || app.check_digit(year || digits);
    exit when not exists (select from public.cases c where c.number = candidate);
  end loop;
  return candidate;
end $$;

-- What follows from an event beyond its state. As before; a term is looked up only where there is one.
create or replace function app.effects(step public.lifecycle, facts jsonb, day date, owner uuid, p_outcome text) returns jsonb
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
    effects := effects || jsonb_build_object('waitingFor', waiting, 'waitingSince', day, 'dueOn', case when term is not null then
      coalesce(app.term_end(day, term || '_' || p_outcome), app.term_end(day, term)) end);
  end if;
  return effects;
end $$;

-- The row becomes what its standing events say: the state of the last one that moved it, and of each fact the last word.
create or replace function app.fold(p_cases uuid[]) returns void language sql security definer set search_path = '' as $$
  update public.cases c set state = s.state, version = version + 1, updated_at = s.recorded_at,
    outcome = s.facts ->> 'outcome', final_on = (s.facts ->> 'finalOn')::date,
    region_code = s.facts ->> 'region', category = s.facts ->> 'category',
    causes = array(select jsonb_array_elements_text(s.facts -> 'causes')), handler_id = (s.facts ->> 'handler')::uuid,
    waiting_for = nullif(s.facts ->> 'waitingFor', 'nobody'), waiting_since = (s.facts ->> 'waitingSince')::date,
    due_on = (s.facts ->> 'dueOn')::date
  from (
    select e.case_id, max(e.recorded_at) as recorded_at, app.merged(e.facts order by e.id) filter (where stands) as facts,
      (array_agg(e.to_state order by e.id desc) filter (where stands and e.from_state <> e.to_state))[1] as state
    from public.case_events e, lateral (select e.annuls is null and not exists (
      select from public.case_events a where a.annuls = e.id) as stands) s
    where e.case_id = any (p_cases) group by e.case_id) s
  where c.id = s.case_id
$$;

-- A case begins as what all events of its first statement say.
create or replace function app.make_cases() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where from_state = '') then return null; end if;
  insert into public.cases (id, number, campaign_id, category, causes, region_code, owner_id, handler_id, assignee_id, state, outcome,
      final_on, registered_on, external_hmac, waiting_for, waiting_since, due_on, updated_at)
    select n.case_id, app.case_number(extract(year from n.registered_on)::int), (f ->> 'campaign')::uuid, f ->> 'category',
      array(select jsonb_array_elements_text(f -> 'causes')), f ->> 'region', coalesce((f ->> 'owner')::uuid, n.organisation_id),
      (f ->> 'handler')::uuid, n.assignee, n.state, f ->> 'outcome', (f ->> 'finalOn')::date, n.registered_on,
      decode(f ->> 'externalHmac', 'hex'), f ->> 'waitingFor', (f ->> 'waitingSince')::date, (f ->> 'dueOn')::date, n.recorded_at
    from (
      select w.case_id, app.merged(w.facts order by w.id) as f, min(w.occurred_on) as registered_on, max(w.recorded_at) as recorded_at,
        (array_agg(w.to_state order by w.id desc))[1] as state, (array_agg(w.organisation_id))[1] as organisation_id,
        (array_agg(w.account_id) filter (where w.job_id is null))[1] as assignee
      from written w group by w.case_id having bool_or(w.from_state = '')) n;
  return null;
end $$;

create or replace function app.fold_rows() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  -- Each event was checked against the row as it stood before the statement; those of a job, all in their order.
  if exists (select from written where job_id is null group by case_id having count(*) > 1) then
    perform app.refuse('action-not-allowed');
  end if;
  if exists (select from written where from_state <> '') then
    perform app.fold(array(select case_id from written group by case_id having not bool_or(from_state = '')));
  end if;
  return null;
end $$;

grant execute on function app.check_event() to session_user; -- as long as it takes to hang it up again
reset role;
revoke create on schema app from definer;

drop trigger check_event on case_events;
create trigger check_event before insert on case_events for each row when (new.job_id is null) execute function app.check_event();
-- Of a first version the key says as much.
drop trigger check_version on zone_versions;
set local role definer;
grant execute on function app.check_zone_version() to session_user;
reset role;
create trigger check_version before insert on zone_versions for each row when (new.version > 1) execute function app.check_zone_version();
set local role definer;
revoke execute on function app.check_event(), app.check_zone_version() from session_user;
reset role;

-- What these rows tell, as far as it goes together with the calendar and with what is on record: judged, and unless it is a
-- dry run written. Gives how many cases are new and how many were there, which, and what is wrong with the other rows.
create function app.import_rows(p_job uuid, p_rows jsonb) returns jsonb language plpgsql security definer set search_path = '' as $$
declare job record; rows app.import_row[]; good app.import_row[]; today date := app.today();
begin
  select i.campaign_id, i.dry_run into job from public.jobs j join public.imports i on i.job_id = j.id
    where j.id = p_job and j.account_id = app.account() and j.organisation_id = app.org() and j.state = 'running' for update of j;
  if job is null then perform app.refuse('job-over'); end if;
  rows := array(select r from jsonb_populate_recordset(null::app.import_row, p_rows) r);
  if exists (select from unnest(rows) r where not exists (select from public.organisations o
        where o.id = r.owner and app.org() in (o.id, o.parent_id) and o.kind in ('division', 'committee'))
      or not exists (select from public.regions g where g.code = r.region and g.valid @> r.registered_on)) then
    perform app.refuse('invalid-request');
  end if;
  perform from public.cases c join unnest(rows) r on c.owner_id = r.owner and c.external_hmac = decode(r.external_hmac, 'hex')
    order by c.id for update of c;

  -- In a statement of its own, so that it sees what was waited for.
  with judged as (
    select r, coalesce(c.id, r.case_id) as case_id, case when c.id is null then 0 else s.stage end as stage, case
      when r.outcome is not null and c.id is not null and s.stage is null then '{outcome,The case has gone on here since}'
      when moves and e.by_hand then '{outcome,The case is in the hands of somebody here}'
      when r.outcome <> c.outcome then '{outcome,Another one is on record}'
      when r.registered_on > today then '{registeredOn,Lies in the future}'
      when r.decided_on > today then '{decidedOn,Lies in the future}'
      when r.issued_on > today then '{documentIssuedOn,Lies in the future}'
      when s.stage < 2 and r.decided_on < e.last then '{decidedOn,Earlier than what is on record}'
      when s.stage < 3 and r.issued_on < e.last then '{documentIssuedOn,Earlier than what is on record}'
      when r.document_type is not null and not o.needs_document then '{documentType,This outcome needs no document}'
      when r.number_hmac is not null and coalesce(s.stage, 0) < 3 and (app.in_register(r.document_type, decode(r.number_hmac, 'hex'))
        or row_number() over (partition by r.document_type, r.number_hmac order by r.line) > 1)
        then '{documentNumber,Stands in the register already}'
      end::text[] as fault
    from unnest(rows) r
    left join public.cases c on c.owner_id = r.owner and c.external_hmac = decode(r.external_hmac, 'hex')
    left join public.import_steps s on s.to_state = c.state
    left join public.codes o on o.list = 'outcome' and o.code = r.outcome
    left join lateral (select max(occurred_on) as last, bool_or(from_state <> to_state and not starts_with(action, 'import_')) as by_hand
      from public.standing_events where case_id = c.id) e on c.id is not null,
    lateral (select s.stage < case when r.document_type is not null then 3 when r.outcome is not null then 2 else 0 end as moves) m)
  select array_agg(case when stage = 0 and fault is null then r else
      jsonb_populate_record(r, jsonb_build_object('case_id', case_id, 'stage', stage, 'field', fault[1], 'reason', fault[2])) end)
    into rows from judged;

  if not job.dry_run then
    good := array(select r from unnest(rows) r where r.field is null);
    perform app.write_import(p_job, job.campaign_id, good);
  end if;
  return (select jsonb_build_object('registered', count(*) filter (where r.field is null and r.stage = 0),
      'existing', count(*) filter (where r.field is null and r.stage is distinct from 0),
      'cases', coalesce(jsonb_agg(r.case_id) filter (where r.field is null and (not job.dry_run or r.stage is distinct from 0)), '[]'),
      'faults', coalesce(jsonb_agg(jsonb_build_object('line', r.line, 'field', r.field, 'reason', r.reason)) filter (where r.field is not null), '[]'))
    from unnest(rows) r);
end $$;

-- What is known of each new person, for what follows from the events to find it; the events that each row tells of and its
-- case does not have yet, all in one statement; and what came along with them.
create function app.write_import(p_job uuid, p_campaign uuid, rows app.import_row[]) returns void
language plpgsql security definer set search_path = '' as $$
-- The law that authorities register by: the first of its list.
declare basis jsonb := (select jsonb_build_object('kind', 'statute', 'legalReference', code)
  from public.codes where list = 'legal_basis' order by position limit 1);
begin
  insert into public.zone_versions (case_id, zone, version, content, sex, birth_year)
    select case_id, 'identity', 1, identity, sex, birth_year from unnest(rows) where stage = 0;
  insert into public.case_events (id, case_id, action, from_state, to_state, occurred_on, recorded_at, organisation_id, account_id,
      facts, job_id, line)
    with told as (
      select r.line, r.case_id, r.owner, r.outcome, s.stage, s.step,
        case s.stage when 1 then r.registered_on when 2 then r.decided_on when 3 then r.issued_on end as day,
        case s.stage
          when 1 then jsonb_strip_nulls(jsonb_build_object('owner', r.owner, 'campaign', p_campaign, 'region', r.region,
            'category', r.category, 'causes', r.causes, 'externalHmac', r.external_hmac, 'basis', basis))
          when 2 then jsonb_build_object('outcome', r.outcome)
          when 3 then jsonb_build_object('documentType', r.document_type) end as facts
      from unnest(rows) r join (select i.stage, l as step from public.import_steps i join public.lifecycle l using (action, from_state)) s
        on s.stage > r.stage and s.stage <= case when r.document_type is not null then 3 when r.outcome is not null then 2 else 1 end),
    -- What follows is asked once for all that are alike.
    alike as (
      select stage, day, app.effects((array_agg(step))[1], (array_agg(facts))[1], day, owner, outcome) as effects, (array_agg(step))[1] as step,
        array_agg(line) as lines, array_agg(case_id) as cases, array_agg(facts) as facts
      from told group by stage, owner, outcome, day)
    select uuidv7(), t.case_id, (a.step).action, (a.step).from_state, (a.step).to_state, a.day, clock_timestamp(), app.org(), app.account(),
      t.facts || a.effects, p_job, t.line
    from alike a, unnest(a.lines, a.cases, a.facts) t(line, case_id, facts)
    order by t.line, a.stage;

  insert into public.identifiers (case_id, version, kind, hmac)
    select r.case_id, 1, i.kind, decode(i.hmac, 'hex')
    from unnest(rows) r, jsonb_to_recordset(r.identifiers) as i(kind text, hmac text) where r.stage = 0;
  insert into public.documents (event_id, case_id, committee_id, type, content, number_hmac, issued_on, expires_on)
    select e.id, r.case_id, coalesce(app.parent(), app.org()), r.document_type, r.document, decode(r.number_hmac, 'hex'), r.issued_on, r.expires_on
    from unnest(rows) r join public.case_events e on e.case_id = r.case_id and e.job_id = p_job and e.line = r.line
      and e.action = 'import_documented'
    where r.document_type is not null and r.stage < 3;
end $$;

grant execute on function app.import_rows(uuid, jsonb) to app;
grant execute on function app.write_import(uuid, uuid, app.import_row[]) to definer;
call app.define(array[
  'app.import_rows(uuid,jsonb)',
  'app.write_import(uuid,uuid,app.import_row[])'
]::regprocedure[]);
