-- What an organisation holds of a case, until when it must or may keep it, and its erasure.

-- Which organisation holds a part of which case: by a key for it, or as the owner of a file that is not erased.
create view held_parts with (security_invoker) as
  select case_id, organisation_id as holder_id from data_keys where organisation_id is not null
  union
  select id, owner_id from cases where erased_at is null;
grant select on held_parts to definer;

-- The day on which a case was closed, withdrawn or merged.
create view final_days with (security_invoker) as
  select c.id as case_id, (
    select e.occurred_on from valid_events e
    where e.case_id = c.id and e.from_state <> e.to_state
    order by e.id desc limit 1) as day
  from cases c
  where c.state in ('closed', 'withdrawn', 'merged');
grant select on final_days to definer;

-- For which purposes an organisation was given a case, by grants and referrals; the day on which the purpose ended
-- (null: it has not), and the day until which the rule of retention keeps what the organisation holds for it.
create view given_purposes with (security_invoker) as
  with rules as materialized (select r.*, app.term(r.term) as length from retention_rules r)
  select g.case_id, g.holder_id, g.purpose, g.ended_on, r.obligatory, r.legal_reference,
    (g.ended_on + r.length)::date as until
  from (
    select e.case_id, e.holder_id, e.purpose, case when bool_and(e.day is not null) then max(e.day) end as ended_on
    from (
      select g.case_id, g.recipient_id as holder_id, g.purpose, least((g.closed_at at time zone i.time_zone)::date,
        case when g.valid_until <= app.now() then (g.valid_until at time zone i.time_zone)::date end,
        final.day) as day
      from installation i, grants g left join final_days final on final.case_id = g.case_id
      union all
      select r.case_id, r.to_id, r.purpose, least((r.settled_at at time zone i.time_zone)::date,
        case when r.expires_at <= app.now() then (r.expires_at at time zone i.time_zone)::date end,
        final.day)
      from installation i, referrals r left join final_days final on final.case_id = r.case_id
      where r.state <> 'accepted') e
    group by e.case_id, e.holder_id, e.purpose) g
    join organisations o on o.id = g.holder_id
    left join rules r on r.purpose = g.purpose and r.kind = o.kind;
grant select on given_purposes to definer;

-- The parts that a flag of their holder keeps from erasure.
create view kept_by_flag with (security_invoker) as
  select f.case_id, f.organisation_id as holder_id
  from flags f join codes c on c.list = 'flag' and c.code = f.kind
  where c.keeps_file and f.cleared_at is null;
grant select on kept_by_flag to definer;

-- The parts whose retention ends on a known day, and the purpose that is kept longest. Without those that a flag keeps
-- or whose erasure is requested.
create view due_parts with (security_invoker) as
  select p.case_id, p.holder_id, max(p.until) as due_on,
    (array_agg(p.purpose order by p.until desc))[1] as purpose,
    (array_agg(p.legal_reference order by p.until desc))[1] as legal_reference
  from held_parts h join given_purposes p using (case_id, holder_id)
  where not exists (select from kept_by_flag f where f.case_id = p.case_id and f.holder_id = p.holder_id)
    and not exists (select from erasures e
      where e.case_id = p.case_id and e.holder_id = p.holder_id and e.state in ('requested', 'approved'))
  group by p.case_id, p.holder_id
  having bool_and(p.until is not null);
grant select on due_parts to definer;

-- Returns the reason why a holder's part of a case cannot be erased now; null if it can.
create function app.why_kept(p_case uuid, p_holder uuid) returns text
language plpgsql stable security definer set search_path = '' as $$
declare kept record;
begin
  if exists (select from public.given_purposes h
      where h.case_id = p_case and h.holder_id = p_holder and h.ended_on is null) then
    return 'In use: the case is open, and so is your grant';
  elsif exists (select from public.kept_by_flag f where f.case_id = p_case and f.holder_id = p_holder) then
    return 'A flag of your organisation keeps it';
  end if;
  select * into kept from public.given_purposes h
    where h.case_id = p_case and h.holder_id = p_holder and h.obligatory and h.until > app.today()
    order by h.until desc limit 1;
  if found then return format('To be kept until %s by law: %s', kept.until, kept.legal_reference); end if;
  return null;
end $$;

-- Counts of what the erasure of a holder's part of a case removes; file: of the whole file.
create function app.counts_of_part(p_case uuid, p_holder uuid, file boolean) returns jsonb
language sql stable set search_path = '' as $$
  select jsonb_build_object(
      'zones', coalesce((
        select jsonb_agg(distinct z.zone) from public.zone_versions z where file and z.case_id = p_case), '[]'),
      'identifiers', (select count(*) from public.identifiers i where file and i.case_id = p_case),
      'relations', (select count(*) from public.relations r where file and p_case in (r.case_id, r.other_id)),
      'grants', (
        select count(*) from public.grants g
        where g.case_id = p_case and g.closed_at is null and g.valid_until > app.now() and case
          when file then g.basis <> 'statute' and g.recipient_id <> g.owner_id
          else g.recipient_id = p_holder end),
      'notes', (select count(*) from public.notes n where n.case_id = p_case and n.organisation_id = p_holder),
      'tasks', (
        select count(*) from public.tasks t
        where t.case_id = p_case and t.organisation_id = p_holder and t.kind = 'by_hand'),
      'flags', (select count(*) from public.flags f where f.case_id = p_case and f.organisation_id = p_holder),
      'texts', (select count(*) from public.event_texts t where t.case_id = p_case and t.organisation_id = p_holder),
      'documents', (
        select count(*) from public.documents d join public.data_keys k on k.id = app.key_of(d.content)
        where d.case_id = p_case and (k.organisation_id = p_holder or file and k.organisation_id is null)))
$$;
grant execute on function app.counts_of_part(uuid, uuid, boolean) to definer;

-- What an erasure of the caller's part of a case would remove, and what would stay: whether there is a part, whether it
-- is the file, why it has to stay for now, counts of what goes, and what stays by which law. Refuses a case that the
-- caller can neither read nor holds a part of. Of a case in custody only supervisors get a plan.
create function app.erasure_plan(
  p_case uuid, out holds boolean, out file boolean, out kept text, out goes jsonb, out stays jsonb)
language plpgsql stable security definer set search_path = '' as $$
begin
  holds := exists (select from public.held_parts h where h.case_id = p_case and h.holder_id = app.org())
    and (app.has_role('supervisor') or not exists (select from public.cases c
      where c.id = p_case and c.owner_id = app.org() and c.in_custody));
  if not holds and not app.reaches(p_case) then perform app.refuse('not-found'); end if;
  file := exists (select from public.cases c where c.id = p_case and c.owner_id = app.org() and c.erased_at is null);
  kept := app.why_kept(p_case, app.org());
  goes := app.counts_of_part(p_case, app.org(), file);
  select coalesce(jsonb_agg(s.said order by s.place, s.said #>> '{organisation,name}'), '[]') into stays
    from (
      select 0 as place, jsonb_build_object('what', 'held_by_others',
        'organisation', jsonb_build_object('id', o.id, 'name', o.name, 'kind', o.kind),
        'until', max(h.until), 'law', string_agg(distinct h.legal_reference, '; ')) as said
      from public.given_purposes h join public.organisations o on o.id = h.holder_id
      -- Only the owner learns who was given the case; what these hold of it, only they themselves learn.
      where h.case_id = p_case and h.holder_id <> app.org()
        and exists (select from public.cases c where c.id = p_case and c.owner_id = app.org())
      group by o.id
      union all
      select c.position, jsonb_build_object('what', c.code, 'organisation', null, 'until', null, 'law', c.source)
      from public.codes c
      where c.list = 'kept_after_erasure' and c.code <> 'held_by_others') s;
end $$;
grant execute on function app.erasure_plan(uuid) to app;

-- Requests the erasure of the caller's part of a case. Refuses what app.erasure_plan refuses, a caller who holds no
-- part, and a part that has to stay.
create function app.request_erasure(p_id uuid, p_case uuid, p_basis text, p_content bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare plan record;
begin
  perform app.lock_case(p_case);
  select * into plan from app.erasure_plan(p_case);
  if not plan.holds then perform app.refuse('nothing-held'); end if;
  if plan.kept is not null then perform app.refuse('file-must-stay', plan.kept); end if;
  insert into public.erasures (id, case_id, holder_id, legal_basis, content, requested_by, requested_at)
    values (p_id, p_case, app.org(), p_basis, p_content, app.account(), app.now());
end $$;
grant execute on function app.request_erasure(uuid, uuid, text, bytea) to app;

-- Approves requested erasures, and marks the cases whose file they erase: nothing happens to these cases afterwards, so
-- that what is erased is what was approved.
create function app.approve_erasures(p_erasures uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.erasures e
    set state = 'approved', settled_by = app.account(), settled_at = app.now(), version = e.version + 1,
      file = c.owner_id = e.holder_id and c.erased_at is null
    from public.cases c
    where e.id = any (p_erasures) and c.id = e.case_id;
  update public.cases c set erased_at = app.now(), version = c.version + 1, updated_at = clock_timestamp()
    from public.erasures e
    where e.id = any (p_erasures) and e.case_id = c.id and e.file;
end $$;

-- Approves or rejects a requested erasure of the caller's organisation, or of one for which the caller stands in.
-- Supervisors decide, and approve only what a second person has requested; the account that requested it can also
-- reject it. An erasure of a run is approved with the run, but its holder can reject it. Refuses to approve the erasure
-- of a part that has to stay.
create function app.decide_erasure(p_erasure uuid, p_version int, p_decision text) returns void
language plpgsql security definer set search_path = '' as $$
declare e public.erasures; kept text;
begin
  perform app.lock_case(case_id) from public.erasures where id = p_erasure;
  select * into e from public.erasures where id = p_erasure
    and (holder_id = app.org() or app.stands_in(holder_id, requested_by, '{supervisor}', true)) for update;
  if e.id is null then perform app.refuse('not-found'); end if;
  if e.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if e.state <> 'requested' then perform app.refuse('erasure-settled'); end if;
  if not app.has_role('supervisor')
      and (p_decision = 'approve' or e.requested_by is distinct from app.account()) then
    perform app.refuse('forbidden', 'A supervisor of the organisation decides this');
  end if;
  if p_decision = 'reject' then
    update public.erasures
      set state = 'rejected', settled_by = app.account(), settled_at = app.now(), version = version + 1
      where id = e.id;
    return;
  end if;
  if e.run_id is not null then
    perform app.refuse('forbidden', 'This erasure is part of a retention run and is approved with it');
  end if;
  perform app.check_second_person(e.holder_id, e.requested_by, '{supervisor}', true);
  kept := app.why_kept(e.case_id, e.holder_id);
  if kept is not null then perform app.refuse('file-must-stay', kept); end if;
  perform app.approve_erasures(array[e.id]);
end $$;
grant execute on function app.decide_erasure(uuid, integer, text) to app;

-- Returns approved erasures that are not done, for the service to write to the ledger before it does them. The lock
-- lets one process at a time write to the ledger.
create function app.approved_erasures(p_limit int) returns setof public.erasures
language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(7281, 26);
  return query select e.* from public.erasures e where e.state = 'approved' order by e.id limit p_limit;
end $$;
grant execute on function app.approved_erasures(integer) to app;

-- Does an approved erasure: deletes the keys of the holder, and for the file everything by which the person can be
-- found; closes the grants that end with it. The rest stays as codes and days. Returns false if there is none to do.
create function app.erase(p_erasure uuid) returns boolean language plpgsql security definer set search_path = '' as $$
declare e public.erasures; gone uuid[]; shared uuid[]; newest int; hashes text[] := app.match_keys();
begin
  perform pg_advisory_xact_lock(7282, hashtext(x.case_id::text)) -- app.own_data_key() takes the shared lock
    from public.erasures x where x.id = p_erasure;
  perform app.lock_case(case_id) from public.erasures where id = p_erasure;
  select * into e from public.erasures where id = p_erasure and state = 'approved' for update;
  if not found then return false; end if;
  with destroyed as (
    delete from public.data_keys k
    where k.case_id = e.case_id and (k.organisation_id = e.holder_id or e.file and k.organisation_id is null)
    returning id, epoch)
  select array_agg(id), max(epoch) into gone, newest from destroyed;
  -- What cannot be opened must not be found either.
  update public.case_events v set facts = v.facts - hashes
    where v.case_id = e.case_id and v.facts ?| hashes and (e.file and v.from_state = '' or exists (
      select from public.documents d where d.event_id = v.id and app.key_of(d.content) = any (gone)));
  update public.documents d set number_hmac = null, iin_hmac = null
    where d.case_id = e.case_id and app.key_of(d.content) = any (gone);
  update public.proposals p set facts = p.facts - hashes
    where p.case_id = e.case_id and p.organisation_id = e.holder_id and p.facts ?| hashes;
  delete from public.flags f where f.case_id = e.case_id and f.organisation_id = e.holder_id;
  update public.tasks t set done_at = app.now(), version = version + 1
    where t.case_id = e.case_id and t.organisation_id = e.holder_id and t.done_at is null;
  if e.file then
    delete from public.identifiers i where i.case_id = e.case_id;
    delete from public.relations r where e.case_id in (r.case_id, r.other_id);
    update public.cases c set external_hmac = null, erased_at = coalesce(c.erased_at, app.now()) where c.id = e.case_id;
    update public.proposals p set state = 'expired' where p.case_id = e.case_id and p.state = 'open';
    update public.zone_versions z set sex = null, birth_year = null
      where z.case_id = e.case_id and z.zone = 'identity';
  end if;
  shared := array(
    select g.id from public.grants g
    where g.case_id = e.case_id and g.closed_at is null and case
      when e.file then g.basis <> 'statute' and g.recipient_id <> g.owner_id
      else g.recipient_id = e.holder_id and g.given_at <= e.settled_at end);
  if shared <> '{}' then perform app.close_grants(shared, 'erased'); end if;
  update public.erasures set state = 'done', done_at = app.now(), epoch = newest, version = version + 1
    where id = e.id;
  return true;
end $$;
grant execute on function app.erase(uuid) to app;

-- Compares the ledger (erasures and their cases) with this database. Returns in unknown the erasures that only the
-- ledger has (the database was restored from an older backup), in untold those that only the database has (the ledger
-- was lost or cut).
create function app.compare_ledger(p_erasures uuid[], p_cases uuid[], out unknown uuid[], out untold jsonb)
language sql stable security definer set search_path = '' as $$
  select
    array(
      select told.id
      from unnest(p_erasures, p_cases) told(id, case_id) join public.cases c on c.id = told.case_id
      where not exists (
        select from public.erasures e where e.id = told.id and e.state in ('approved', 'done'))),
    coalesce((
      select jsonb_agg(e order by e.id) from public.erasures e
      where e.state = 'done' and e.id <> all (p_erasures)), '[]')
$$;
grant execute on function app.compare_ledger(uuid[], uuid[]) to app;

-- Does an erasure of the ledger again in a database restored from an older backup. Accounts that the database does not
-- have are left out. Called by `admin restore-check` as definer.
create function app.replay_erasure(told jsonb) returns void language plpgsql security definer set search_path = '' as $$
declare approved public.erasures := jsonb_populate_record(null::public.erasures, told);
begin
  -- This erasure replaces one that was requested after the restore.
  update public.erasures set state = 'rejected', settled_at = app.now()
    where case_id = approved.case_id and holder_id = approved.holder_id
      and state in ('requested', 'approved') and id <> approved.id;
  insert into public.erasures (id, case_id, holder_id, file, legal_basis, requested_by, requested_at, settled_by,
      settled_at, state)
    values (approved.id, approved.case_id, approved.holder_id, approved.file, approved.legal_basis,
      (select a.id from public.accounts a where a.id = approved.requested_by), approved.requested_at,
      (select a.id from public.accounts a where a.id = approved.settled_by), approved.settled_at, 'approved')
    on conflict (id) do update
      set state = 'approved', file = excluded.file, settled_by = excluded.settled_by, settled_at = excluded.settled_at;
  perform app.erase(approved.id);
end $$;

-- Each organisation reads the erasures of its own parts. Only functions write them.
grant select on erasures to app;
create policy seen on erasures for select to app using (holder_id = (select app.org()));
