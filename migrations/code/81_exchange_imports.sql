-- Imports, batch by batch.

-- A row of a batch: what the file has about one case, and what app.import_rows finds out about it.
create type app.import_row as (
  line int, case_id uuid, owner uuid, external_hmac text,
  registered_on date, region text, category text, causes jsonb, outcome text, decided_on date,
  document_type text, issued_on date, expires_on date, number_hmac text, document bytea,
  identity bytea, sex text, birth_year int, identifiers jsonb,
  -- The last of import_steps that the case has taken; 0: the case is new; null: the case has left these steps.
  stage int,
  field text, reason text, -- of a fault
  key_id uuid, epoch int, wrapped bytea, text_id uuid
);

-- The steps of the lifecycle that an import takes with a case, in their order.
create view import_steps with (security_invoker) as
  select row_number() over (
      order by array_position(array['import_registered', 'import_decided', 'import_documented'], action)) as stage, l.*
  from lifecycle l
  where starts_with(action, 'import_');
grant select on import_steps to definer;

-- Writes the rows of a batch: first keys and identities of new cases, which the triggers of events need; then, in one
-- statement, all events that the cases do not have yet; then identifiers and documents. The document of a new case has
-- the key of its file, that of an existing case the key of its owner.
create function app.write_import(p_job uuid, p_campaign uuid, rows app.import_row[]) returns void
language plpgsql security definer set search_path = '' as $$
declare
  basis jsonb := (
    select jsonb_build_object('kind', 'statute', 'legalReference', code)
    from public.codes
    where list = 'legal_basis'
    order by position limit 1);
begin
  insert into public.data_keys (id, case_id, organisation_id, epoch, wrapped)
    select key_id, case_id, case when stage > 0 then owner end, epoch, wrapped
    from unnest(rows)
    where stage = 0 or document_type is not null and stage < 3;
  insert into public.zone_versions (case_id, zone, version, content, sex, birth_year)
    select case_id, 'identity', 1, identity, sex, birth_year from unnest(rows) where stage = 0;
  insert into public.case_events (id, case_id, action, from_state, to_state, occurred_on, recorded_at, organisation_id,
      account_id, facts, job_id, line)
    with told as (
      select r.line, r.case_id, r.owner, r.outcome, s.stage, s.step,
        case s.stage when 1 then r.registered_on when 2 then r.decided_on when 3 then r.issued_on end as day,
        case s.stage
          when 1 then jsonb_strip_nulls(jsonb_build_object('owner', r.owner, 'campaign', p_campaign,
            'region', r.region, 'category', r.category, 'causes', r.causes, 'externalHmac', r.external_hmac,
            'basis', basis))
          when 2 then jsonb_build_object('outcome', r.outcome)
          when 3 then jsonb_build_object('documentType', r.document_type) end as facts
      from unnest(rows) r
        join (
          select i.stage, l as step from public.import_steps i join public.lifecycle l using (action, from_state)) s
          on s.stage > r.stage
            and s.stage <= case when r.document_type is not null then 3 when r.outcome is not null then 2 else 1 end),
    -- The effects are computed once for all events that are alike.
    alike as (
      select stage, day,
        app.effects((array_agg(step))[1], (array_agg(facts))[1], day, owner, outcome) as effects,
        (array_agg(step))[1] as step,
        array_agg(line) as lines, array_agg(case_id) as cases, array_agg(facts) as facts
      from told
      group by stage, owner, outcome, day)
    select uuidv7(), t.case_id, (a.step).action, (a.step).from_state, (a.step).to_state, a.day, clock_timestamp(),
      app.org(), app.account(), t.facts || a.effects, p_job, t.line
    from alike a, unnest(a.lines, a.cases, a.facts) t(line, case_id, facts)
    order by t.line, a.stage;

  insert into public.identifiers (case_id, version, kind, hmac)
    select r.case_id, 1, i.kind, decode(i.hmac, 'hex')
    from unnest(rows) r, jsonb_to_recordset(r.identifiers) as i(kind text, hmac text)
    where r.stage = 0;
  insert into public.documents (event_id, case_id, committee_id, type, text_id, content, number_hmac, issued_on,
      expires_on)
    select e.id, r.case_id, coalesce(app.parent(), app.org()), r.document_type, r.text_id, r.document,
      decode(r.number_hmac, 'hex'), r.issued_on, r.expires_on
    from unnest(rows) r
      join public.case_events e
        on e.case_id = r.case_id and e.job_id = p_job and e.line = r.line and e.action = 'import_documented'
    where r.document_type is not null and r.stage < 3;
end $$;

-- True if the register of the caller has this number of this type. With p_seen only a case that the caller can read
-- counts: a dry run writes nothing, and must not reveal who is on record.
create function app.is_taken(p_type text, p_number_hmac bytea, p_seen boolean) returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare holder uuid := app.number_holder(app.org(), p_type, p_number_hmac);
begin
  return holder is not null and (not p_seen or app.reaches(holder));
end $$;

-- Analyzes the table that has grown most since it was analyzed, if it has more than doubled. Returns whether there was
-- one. An import does not wait for autovacuum: the plans for tables without statistics take longer with each batch, and
-- a crash of PostgreSQL makes autovacuum forget how much has changed.
create function app.analyze_grown() returns boolean language plpgsql security definer set search_path = '' as $$
declare grown regclass := (
  select c.oid from pg_class c
  where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
    and pg_relation_size(c.oid) / 8192 > 2 * greatest(c.relpages, 10)
  order by pg_relation_size(c.oid) / 8192 / greatest(c.relpages, 10) desc limit 1);
begin
  if grown is null then return false; end if;
  execute format('analyze %s', grown);
  return true;
end $$;
grant execute on function app.analyze_grown() to app;
grant maintain on all tables in schema public to definer;

-- Checks the rows of a batch against calendar and record, locks the existing cases, and writes the rows without a fault
-- unless the job is a dry run. Returns how many cases are new and how many existed, their ids, and the faults. Refuses
-- a job that is not running for the caller, and owners and regions that the service should have rejected.
create function app.import_rows(p_job uuid, p_rows jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare job record; rows app.import_row[]; good app.import_row[]; today date := app.today();
begin
  select i.campaign_id, i.dry_run into job from public.jobs j join public.imports i on i.job_id = j.id
    where j.id = p_job and j.account_id = app.account() and j.organisation_id = app.org() and j.state = 'running'
    for update of j;
  if job is null then perform app.refuse('job-over'); end if;
  perform app.hold_campaign(job.campaign_id);
  rows := array(select r from jsonb_populate_recordset(null::app.import_row, p_rows) r);
  if exists (select from unnest(rows) r
      where not exists (select from public.organisations o
          where o.id = r.owner and app.org() in (o.id, o.parent_id) and o.kind in ('division', 'committee'))
        or not exists (
          select from public.regions g where g.code = r.region and g.valid @> r.registered_on)) then
    perform app.refuse('invalid-request');
  end if;
  perform
    from public.cases c
      join unnest(rows) r on c.owner_id = r.owner and c.external_hmac = decode(r.external_hmac, 'hex')
    order by c.id for update of c;

  -- A statement of its own, so that it sees what the transactions have written that the lock waited for.
  with judged as (
    select r, coalesce(c.id, r.case_id) as case_id, case when c.id is null then 0 else s.stage end as stage, case
      when r.outcome is not null and c.id is not null and s.stage is null
        then '{outcome,The case has moved on since in this system}'
      when moves and e.by_hand then '{outcome,The case was moved by hand in this system}'
      when r.outcome <> c.outcome then '{outcome,Another outcome is on record}'
      when c.id is null and not app.is_within(k, r.registered_on) then '{registeredOn,Is not within the campaign}'
      when r.registered_on > today then '{registeredOn,Is in the future}'
      when r.decided_on > today then '{decidedOn,Is in the future}'
      when r.issued_on > today then '{documentIssuedOn,Is in the future}'
      when s.stage < 2 and r.decided_on < e.last then '{decidedOn,Is before the last event of the case}'
      when s.stage < 3 and r.issued_on < e.last then '{documentIssuedOn,Is before the last event of the case}'
      when r.document_type is not null and not o.needs_document
        then '{documentType,This outcome needs no document}'
      when r.number_hmac is not null and coalesce(s.stage, 0) < 3
          and (app.is_taken(r.document_type, decode(r.number_hmac, 'hex'), job.dry_run)
            or row_number() over (partition by r.document_type, r.number_hmac order by r.line) > 1)
        then '{documentNumber,Is in the register already}'
      end::text[] as fault
    from unnest(rows) r
      left join public.cases c on c.owner_id = r.owner and c.external_hmac = decode(r.external_hmac, 'hex')
      left join public.campaigns k on k.id = job.campaign_id
      left join public.import_steps s on s.to_state = c.state
      left join public.codes o on o.list = 'outcome' and o.code = r.outcome
      left join lateral (
        select max(occurred_on) as last,
          bool_or(from_state <> to_state and not starts_with(action, 'import_')) as by_hand
        from public.valid_events
        where case_id = c.id) e on c.id is not null,
      lateral (
        select s.stage < case when r.document_type is not null then 3 when r.outcome is not null then 2 else 0 end
          as moves) m)
  select array_agg(case
      when stage = 0 and fault is null then r
      else jsonb_populate_record(r, jsonb_build_object(
        'case_id', case_id, 'stage', stage, 'field', fault[1], 'reason', fault[2])) end) into rows
    from judged;

  if not job.dry_run then
    perform app.look_at(app.number_holder(app.org(), r.document_type, decode(r.number_hmac, 'hex')))
      from unnest(rows) r where r.field = 'documentNumber';
    good := array(select r from unnest(rows) r where r.field is null);
    perform app.write_import(p_job, job.campaign_id, good);
  end if;
  return (
    select jsonb_build_object('registered', count(*) filter (where r.field is null and r.stage = 0),
      'existing', count(*) filter (where r.field is null and r.stage is distinct from 0),
      'cases', coalesce(jsonb_agg(r.case_id)
        filter (where r.field is null and (not job.dry_run or r.stage is distinct from 0)), '[]'),
      'faults', coalesce(jsonb_agg(jsonb_build_object('line', r.line, 'field', r.field, 'reason', r.reason))
        filter (where r.field is not null), '[]'))
    from unnest(rows) r);
end $$;
grant execute on function app.import_rows(uuid, jsonb) to app;

-- Deletes the file of a job of the caller.
create function app.discard_import(p_job uuid) returns void language sql security definer set search_path = '' as $$
  delete from public.import_chunks c using public.jobs j
  where c.job_id = p_job and j.id = p_job and j.account_id = app.account()
$$;
grant execute on function app.discard_import(uuid) to app;

-- Deletes jobs whose file did not arrive completely: this one if it is the caller's, and all whose lease has ended.
create function app.forget_imports(p_job uuid) returns void language plpgsql security definer set search_path = '' as $$
declare
  gone uuid[] := array(
    select id from public.jobs
    where state = 'receiving' and (id = p_job and account_id = app.account() or leased_until < clock_timestamp())
    for update skip locked);
begin
  delete from public.import_chunks where job_id = any (gone);
  delete from public.imports where job_id = any (gone);
  delete from public.jobs where id = any (gone);
end $$;
grant execute on function app.forget_imports(uuid) to app;

-- Imports, their files and their faults are read and written by the account of the job.
grant select, insert, insert (job_id, campaign_id, dry_run),
  update (bytes, sha256, records, registered, existing, rejected_rows, total) on imports to app;
grant delete on imports to definer;
create policy own on imports to app using (exists (select from jobs j where j.id = job_id));
grant select, insert on import_chunks to app;
grant delete on import_chunks to definer;
create policy own on import_chunks to app using (exists (select from jobs j where j.id = job_id));
grant select, insert on import_faults to app;
grant delete on import_faults to definer;
create policy own on import_faults to app using (exists (select from jobs j where j.id = job_id));
