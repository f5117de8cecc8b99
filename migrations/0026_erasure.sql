-- What an organisation holds of a case can be erased for good: the keys to it go, and what it is found by. What stays says
-- nothing of the person.

-- What is known of the person, and what they agreed to, is the file: it goes with the case to its next owner, and so does its
-- key, which belongs to no organisation. What was sealed before goes with the file that it was sealed along with.
alter table data_keys alter column organisation_id drop not null;
-- The id of the key that something was sealed with: it stands before it.
create function app.key_of(content bytea) returns uuid language sql immutable return encode(substr(content, 1, 16), 'hex')::uuid;
-- What an event says that the person is found by: keyed hashes.
create function app.match_keys() returns text[] language sql immutable return '{externalHmac,numberHmac,iinHmac}'::text[];
grant execute on function app.key_of(bytea), app.match_keys() to definer;
update data_keys set organisation_id = null where id in (select app.key_of(content) from zone_versions where content is not null);

alter table cases add column erased_at timestamptz; -- since when its file is no more: nothing happens to it any more
alter table documents alter column number_hmac drop not null;
alter table codes add column keeps_file boolean; -- of a flag: as long as it stands, nothing is erased

-- How long an organisation of this kind keeps what it holds for a purpose, from the day on which that has ended.
create table retention_rules (
  purpose purpose not null,
  kind organisation_kind not null,
  term text not null references terms,
  obligatory boolean not null, -- it must: nothing is erased before
  legal_reference text not null,
  source text not null,
  verified boolean not null,
  primary key (purpose, kind)
);

-- Everything that is due by a day, to be erased in one go.
create table retention_runs (
  id uuid primary key,
  due_on date not null,
  state text not null default 'requested' check (state in ('requested', 'approved', 'rejected')),
  requested_by uuid not null default app.account() references accounts,
  requested_at timestamptz not null default app.now(),
  settled_by uuid references accounts,
  settled_at timestamptz,
  version int not null default 1,
  check (settled_by <> requested_by or state = 'rejected')
);
-- The end of what one organisation holds of one case: asked for by one person, approved by another, done by the service.
create table erasures (
  id uuid primary key,
  case_id uuid not null references cases,
  holder_id uuid not null references organisations,
  run_id uuid references retention_runs,
  purpose purpose, -- of a run: whose term ended last
  file boolean not null default false, -- with the file, of which the holder is the owner
  legal_basis text not null,
  content bytea, -- why; it goes with the rest
  state text not null default 'requested' check (state in ('requested', 'approved', 'rejected', 'done')),
  requested_by uuid references accounts, -- nobody that a restored database knows
  requested_at timestamptz not null,
  settled_by uuid references accounts,
  settled_at timestamptz,
  done_at timestamptz,
  epoch int, -- the newest one that wrapped what opened it: a backup opens it as long as that one or an older one exists
  version int not null default 1,
  check (settled_by <> requested_by or state = 'rejected'),
  check ((done_at is not null) = (state = 'done'))
);
create unique index erasures_pending on erasures (case_id, holder_id) where state in ('requested', 'approved');
create index on erasures (holder_id, id);
create index on erasures (run_id) where run_id is not null;
create index on erasures (id) where state = 'approved';

call app.guard(array['retention_rules', 'retention_runs', 'erasures']::regclass[]);
grant select on retention_rules, retention_runs, erasures to app;
create policy public_knowledge on retention_rules for select to app using (true);
create policy seen on retention_runs for select to app using ((select app.has_role('administrator')));
create policy seen on erasures for select to app using (holder_id = (select app.org()));
grant delete on data_keys, identifiers, relations, flags to definer;

-- Of what was erased nothing is assigned or linked any more.
alter policy assigned on cases using (owner_id = (select app.org()) and (select app.has_role('supervisor')) and erased_at is null);
alter policy made on relations with check (
  organisation_id = (select app.org())
  and exists (select from cases c where c.id = case_id and c.owner_id = (select app.org()) and c.erased_at is null)
  and (select true from cases c where c.id = relations.other_id and c.erased_at is null));

-- Nor is it shared.
create function app.refuse_erased() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from public.cases c where c.id = new.case_id and c.erased_at is not null) then perform app.refuse('file-erased'); end if;
  return new;
end $$;
create trigger refuse_erased before insert on grants for each row execute function app.refuse_erased();

-- Who holds something of which case: whoever has a key to it, and its owner the file.
create view held_parts with (security_invoker) as
  select case_id, organisation_id as holder_id from data_keys where organisation_id is not null
  union select id, owner_id from cases where erased_at is null;
-- The day on which a case came to its end, if it has.
create view final_days with (security_invoker) as
  select c.id as case_id, (select e.occurred_on from standing_events e
    where e.case_id = c.id and e.from_state <> e.to_state order by e.id desc limit 1) as day
  from cases c where c.state in ('closed', 'withdrawn', 'merged');
-- For which purposes an organisation was given a case, since when that has ended, and until when what it holds is kept for
-- it; no end: it has not ended.
create view given_purposes with (security_invoker) as
  with rules as materialized (select r.*, app.term(r.term) as length from retention_rules r)
  select g.case_id, g.holder_id, g.purpose, g.ended_on, r.obligatory, r.legal_reference, (g.ended_on + r.length)::date as until
  from (
    select e.case_id, e.holder_id, e.purpose, case when bool_and(e.day is not null) then max(e.day) end as ended_on
    from (
      select g.case_id, g.recipient_id as holder_id, g.purpose, least((g.closed_at at time zone i.time_zone)::date,
        case when g.valid_until <= app.now() then (g.valid_until at time zone i.time_zone)::date end, final.day) as day
      from installation i, grants g left join final_days final on final.case_id = g.case_id
      union all
      select r.case_id, r.to_id, r.purpose, least((r.settled_at at time zone i.time_zone)::date,
        case when r.expires_at <= app.now() then (r.expires_at at time zone i.time_zone)::date end, final.day)
      from installation i, referrals r left join final_days final on final.case_id = r.case_id where r.state <> 'accepted') e
    group by e.case_id, e.holder_id, e.purpose) g
    join organisations o on o.id = g.holder_id
    left join rules r on r.purpose = g.purpose and r.kind = o.kind;
-- What is flagged so that nobody erases it.
create view kept_by_flag with (security_invoker) as
  select f.case_id, f.organisation_id as holder_id from flags f join codes c on c.list = 'flag' and c.code = f.kind
  where c.keeps_file and f.cleared_at is null;
-- What is due for erasure since a day, and by the rule of which purpose: whatever nothing keeps any longer.
create view due_parts with (security_invoker) as
  select p.case_id, p.holder_id, max(p.until) as due_on, (array_agg(p.purpose order by p.until desc))[1] as purpose,
    (array_agg(p.legal_reference order by p.until desc))[1] as legal_reference
  from held_parts h join given_purposes p using (case_id, holder_id)
  where not exists (select from kept_by_flag f where f.case_id = p.case_id and f.holder_id = p.holder_id)
    and not exists (select from erasures e where e.case_id = p.case_id and e.holder_id = p.holder_id and e.state in ('requested', 'approved'))
  group by p.case_id, p.holder_id having bool_and(p.until is not null);
grant select on held_parts, final_days, given_purposes, kept_by_flag, due_parts to definer;

-- Why what an organisation holds of a case has to stay for now; nothing when it may go.
create function app.why_kept(p_case uuid, p_holder uuid) returns text language plpgsql stable security definer set search_path = '' as $$
declare kept record;
begin
  if exists (select from public.given_purposes h where h.case_id = p_case and h.holder_id = p_holder and h.ended_on is null) then
    return 'It is in use: the case is open, and so is the grant by which you see it';
  elsif exists (select from public.kept_by_flag f where f.case_id = p_case and f.holder_id = p_holder) then
    return 'A flag of your organisation keeps it';
  end if;
  select * into kept from public.given_purposes h
    where h.case_id = p_case and h.holder_id = p_holder and h.obligatory and h.until > app.today() order by h.until desc limit 1;
  if found then return format('The law keeps it until %s: %s', kept.until, kept.legal_reference); end if;
  return null;
end $$;

-- What would go with what the caller holds of a case, and what would stay and why. Nothing of a case that they neither reach
-- nor hold anything of.
create function app.erasure_plan(p_case uuid, out holds boolean, out file boolean, out kept text, out goes jsonb, out stays jsonb)
language plpgsql stable security definer set search_path = '' as $$
begin
  holds := exists (select from public.held_parts h where h.case_id = p_case and h.holder_id = app.org());
  if not holds and not app.reaches(p_case) then perform app.refuse('not-found'); end if;
  file := exists (select from public.cases c where c.id = p_case and c.owner_id = app.org() and c.erased_at is null);
  kept := app.why_kept(p_case, app.org());
  select jsonb_build_object(
      'zones', coalesce((select jsonb_agg(distinct z.zone) from public.zone_versions z where file and z.case_id = p_case), '[]'),
      'identifiers', (select count(*) from public.identifiers i where file and i.case_id = p_case),
      'relations', (select count(*) from public.relations r where file and p_case in (r.case_id, r.other_id)),
      'grants', (select count(*) from public.grants g where g.case_id = p_case and g.closed_at is null and g.valid_until > app.now()
        and case when file then g.basis <> 'statute' and g.recipient_id <> g.owner_id else g.recipient_id = app.org() end),
      'notes', (select count(*) from public.notes n where n.case_id = p_case and n.organisation_id = app.org()),
      'tasks', (select count(*) from public.tasks t where t.case_id = p_case and t.organisation_id = app.org() and t.kind = 'by_hand'),
      'flags', (select count(*) from public.flags f where f.case_id = p_case and f.organisation_id = app.org()),
      'texts', (select count(*) from public.event_texts t where t.case_id = p_case and t.organisation_id = app.org()),
      'documents', (select count(*) from public.documents d join public.data_keys k on k.id = app.key_of(d.content)
        where d.case_id = p_case and (k.organisation_id = app.org() or file and k.organisation_id is null)))
    into goes;
  select coalesce(jsonb_agg(s.said order by s.place, s.said #>> '{organisation,name}'), '[]') into stays from (
    select 0 as place, jsonb_build_object('what', 'held_by_others', 'organisation', jsonb_build_object('id', o.id, 'name', o.name, 'kind', o.kind),
      'until', max(h.until), 'law', string_agg(distinct h.legal_reference, '; ')) as said
    from public.given_purposes h join public.organisations o on o.id = h.holder_id
    -- Whom it was given is known to its owner; what of it they hold, to themselves.
    where h.case_id = p_case and h.holder_id <> app.org() and exists (
      select from public.cases c where c.id = p_case and c.owner_id = app.org()) group by o.id
    union all
    select c.position, jsonb_build_object('what', c.code, 'organisation', null, 'until', null, 'law', c.source)
    from public.codes c where c.list = 'kept_after_erasure' and c.code <> 'held_by_others') s;
end $$;

create function app.request_erasure(p_id uuid, p_case uuid, p_basis text, p_content bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare plan record;
begin
  perform from public.cases c where c.id = p_case for update;
  select * into plan from app.erasure_plan(p_case);
  if not plan.holds then perform app.refuse('nothing-held'); end if;
  if plan.kept is not null then perform app.refuse('file-must-stay', plan.kept); end if;
  insert into public.erasures (id, case_id, holder_id, legal_basis, content, requested_by, requested_at)
    values (p_id, p_case, app.org(), p_basis, p_content, app.account(), app.now());
end $$;

-- From its approval on nothing happens to the case any more, so that what is then done is what was approved.
create function app.approve_erasures(p_erasures uuid[]) returns void language plpgsql security definer set search_path = '' as $$
begin
  update public.erasures e set state = 'approved', settled_by = app.account(), settled_at = app.now(), version = e.version + 1,
      file = c.owner_id = e.holder_id and c.erased_at is null
    from public.cases c where e.id = any (p_erasures) and c.id = e.case_id;
  update public.cases c set erased_at = app.now(), version = c.version + 1, updated_at = clock_timestamp()
    from public.erasures e where e.id = any (p_erasures) and e.case_id = c.id and e.file;
end $$;

-- One person asks for it, a supervisor of the same organisation approves it; whoever asked may take it back. A run is approved
-- as a whole, but whose part it is may refuse that.
create function app.decide_erasure(p_erasure uuid, p_version int, p_decision text) returns void
language plpgsql security definer set search_path = '' as $$
declare e public.erasures; kept text;
begin
  perform from public.cases c join public.erasures x on x.case_id = c.id where x.id = p_erasure for update of c;
  select * into e from public.erasures where id = p_erasure and holder_id = app.org() for update;
  if e.id is null then perform app.refuse('not-found'); end if;
  if e.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if e.state <> 'requested' then perform app.refuse('erasure-settled'); end if;
  if not app.has_role('supervisor') and (p_decision = 'approve' or e.requested_by is distinct from app.account()) then
    perform app.refuse('forbidden', 'A supervisor of the organisation decides about it');
  end if;
  if p_decision = 'reject' then
    update public.erasures set state = 'rejected', settled_by = app.account(), settled_at = app.now(), version = version + 1 where id = e.id;
    return;
  end if;
  if e.run_id is not null then perform app.refuse('forbidden', 'It is approved with the run that it is part of'); end if;
  if e.requested_by = app.account() then perform app.refuse('same-person'); end if;
  kept := app.why_kept(e.case_id, e.holder_id);
  if kept is not null then perform app.refuse('file-must-stay', kept); end if;
  perform app.approve_erasures(array[e.id]);
end $$;

-- An administrator asks for what is due longest to go; another one approves it. Neither learns of a case.
create function app.start_retention(p_id uuid) returns void language plpgsql security definer set search_path = '' as $$
begin
  if not app.has_role('administrator') then perform app.refuse('forbidden'); end if;
  insert into public.retention_runs (id, due_on) values (p_id, app.today());
  insert into public.erasures (id, case_id, holder_id, run_id, purpose, legal_basis, requested_by, requested_at)
    select uuidv7(), d.case_id, d.holder_id, p_id, d.purpose, 'retention_ended', app.account(), app.now()
    from public.due_parts d where d.due_on <= app.today()
    order by d.due_on limit (select t.value from public.thresholds t where t.threshold = 'retention_run');
end $$;
create function app.decide_retention(p_run uuid, p_version int, p_decision text) returns void
language plpgsql security definer set search_path = '' as $$
declare r public.retention_runs; due uuid[];
begin
  select * into r from public.retention_runs where id = p_run for update;
  if r.id is null or not app.has_role('administrator') then perform app.refuse('not-found'); end if;
  if r.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if r.state <> 'requested' then perform app.refuse('erasure-settled'); end if;
  if p_decision = 'approve' then
    if r.requested_by = app.account() then perform app.refuse('same-person'); end if;
    perform from public.cases c where c.id in (select e.case_id from public.erasures e where e.run_id = r.id) order by c.id for update;
    -- What is needed again by now stays.
    due := array(select e.id from public.erasures e where e.run_id = r.id and e.state = 'requested' and app.why_kept(e.case_id, e.holder_id) is null);
    perform app.approve_erasures(due);
  end if;
  update public.erasures set state = 'rejected', settled_by = app.account(), settled_at = app.now(), version = version + 1
    where run_id = r.id and state = 'requested';
  update public.retention_runs set state = case p_decision when 'approve' then 'approved' else 'rejected' end,
    settled_by = app.account(), settled_at = app.now(), version = version + 1 where id = r.id;
end $$;
-- How much of a run is whose, by the rule of which purpose: numbers, for administrators.
create function app.retention_parts(p_run uuid) returns table (holder_id uuid, purpose public.purpose, parts int, done int)
language plpgsql stable security definer set search_path = '' as $$
begin
  if not app.has_role('administrator') then perform app.refuse('forbidden'); end if;
  return query select e.holder_id, e.purpose, count(*)::int, (count(*) filter (where e.state = 'done'))::int
    from public.erasures e where e.run_id = p_run group by 1, 2;
end $$;

-- What was approved and is not done yet, for the service to tell the ledger of and then to do: one process after the other
-- writes there.
create function app.approved_erasures(p_limit int) returns setof public.erasures language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(7281, 26);
  return query select e.* from public.erasures e where e.state = 'approved' order by e.id limit p_limit;
end $$;
-- Erases what was approved: the holder's keys go, and with the file whatever the person is found by; the rest of the case
-- stays as codes and days. Not twice.
create function app.erase(p_erasure uuid) returns boolean language plpgsql security definer set search_path = '' as $$
declare e public.erasures; gone uuid[]; shared uuid[]; newest int; hashes text[] := app.match_keys();
begin
  perform pg_advisory_xact_lock(7282, hashtext(x.case_id::text)) from public.erasures x where x.id = p_erasure; -- see app.own_data_key()
  perform from public.cases c join public.erasures x on x.case_id = c.id where x.id = p_erasure for update of c;
  select * into e from public.erasures where id = p_erasure and state = 'approved' for update;
  if not found then return false; end if;
  with destroyed as (
    delete from public.data_keys k where k.case_id = e.case_id and (k.organisation_id = e.holder_id or e.file and k.organisation_id is null)
    returning id, epoch)
  select array_agg(id), max(epoch) into gone, newest from destroyed;
  -- Nobody finds what nobody can open.
  update public.case_events v set facts = v.facts - hashes
    where v.case_id = e.case_id and v.facts ?| hashes and (e.file and v.from_state = '' or exists (
      select from public.documents d where d.event_id = v.id and app.key_of(d.content) = any (gone)));
  update public.documents d set number_hmac = null, iin_hmac = null
    where d.case_id = e.case_id and app.key_of(d.content) = any (gone);
  update public.proposals p set facts = p.facts - hashes where p.case_id = e.case_id and p.organisation_id = e.holder_id and p.facts ?| hashes;
  delete from public.flags f where f.case_id = e.case_id and f.organisation_id = e.holder_id;
  update public.tasks t set done_at = app.now(), version = version + 1
    where t.case_id = e.case_id and t.organisation_id = e.holder_id and t.done_at is null;
  if e.file then
    delete from public.identifiers i where i.case_id = e.case_id;
    delete from public.relations r where e.case_id in (r.case_id, r.other_id);
    update public.cases c set external_hmac = null, erased_at = coalesce(c.erased_at, app.now()) where c.id = e.case_id;
    update public.proposals p set state = 'expired' where p.case_id = e.case_id and p.state = 'open';
    update public.zone_versions z set sex = null, birth_year = null where z.case_id = e.case_id and z.zone = 'identity';
  end if;
  shared := array(select g.id from public.grants g where g.case_id = e.case_id and g.closed_at is null and case
    when e.file then g.basis <> 'statute' and g.recipient_id <> g.owner_id else g.recipient_id = e.holder_id and g.given_at <= e.settled_at end);
  if shared <> '{}' then perform app.close_grants(shared, 'erased'); end if;
  update public.erasures set state = 'done', done_at = app.now(), epoch = newest, version = version + 1 where id = e.id;
  return true;
end $$;

-- Where the ledger and this database differ: which erasures of cases that are here it tells of and the database does not, which
-- then was restored from before them; and those that only the database tells of, the ledger having been lost or cut.
create function app.compare_ledger(p_erasures uuid[], p_cases uuid[], out unknown uuid[], out untold jsonb)
language sql stable security definer set search_path = '' as $$
  select array(select told.id from unnest(p_erasures, p_cases) told(id, case_id) join public.cases c on c.id = told.case_id
      where not exists (select from public.erasures e where e.id = told.id and e.state in ('approved', 'done'))),
    coalesce((select jsonb_agg(e order by e.id) from public.erasures e where e.state = 'done' and e.id <> all (p_erasures)), '[]')
$$;
-- Does again what the ledger tells of, in a database from before it; whoever it names may not have been there yet.
create function app.replay_erasure(told jsonb) returns void language plpgsql security definer set search_path = '' as $$
declare approved public.erasures := jsonb_populate_record(null::public.erasures, told);
begin
  -- What was asked for once more in the meantime is what this is.
  update public.erasures set state = 'rejected', settled_at = app.now() where case_id = approved.case_id and holder_id = approved.holder_id
    and state in ('requested', 'approved') and id <> approved.id;
  insert into public.erasures (id, case_id, holder_id, file, legal_basis, requested_by, requested_at, settled_by, settled_at, state)
    values (approved.id, approved.case_id, approved.holder_id, approved.file, approved.legal_basis,
      (select a.id from public.accounts a where a.id = approved.requested_by), approved.requested_at,
      (select a.id from public.accounts a where a.id = approved.settled_by), approved.settled_at, 'approved')
    on conflict (id) do update set state = 'approved', file = excluded.file, settled_by = excluded.settled_by, settled_at = excluded.settled_at;
  perform app.erase(approved.id);
end $$;

-- What a case looks like: with the keys of its zones, as far as there are any.
drop function app.read_case(uuid, text[], uuid, text, jsonb, uuid);
drop view looks;
create or replace view case_index with (security_invoker) as
  select c.id, c.number, c.campaign_id as "campaignId", c.state, c.outcome, c.region_code as "regionCode", c.category, c.causes,
    jsonb_build_object('id', o.id, 'name', o.name, 'kind', o.kind) as owner,
    case when h.id is not null then jsonb_build_object('id', h.id, 'name', h.name, 'kind', h.kind) end as handler,
    case when c.owner_id = (select app.org()) then c.assignee_id end as "assigneeId", c.registered_on as "registeredOn",
    case when c.waiting_for is not null then
      jsonb_build_object('waitingFor', c.waiting_for, 'since', c.waiting_since, 'dueOn', c.due_on) end as clock,
    app.rfc3339(c.updated_at) as "updatedAt", c.version, app.rfc3339(c.erased_at) as "erasedAt"
  from cases c join organisations o on o.id = c.owner_id left join organisations h on h.id = c.handler_id;
create view looks with (security_invoker) as
  select i.*, s.relations, s.needs_document as "needsDocument", s.final, s.to_hand_over as "toHandOver", app.open_zones(a) as open,
    (select jsonb_build_object('kind', g.basis, 'method', g.method, 'language', g.language, 'formVersion', g.form_version,
        'legalReference', g.legal_reference, 'representative', g.representative)
      from open_grants g where g.case_id = i.id and g.purpose = 'case_management' and g.owner_id = g.recipient_id) as basis,
    (select jsonb_object_agg(z.zone, z.kept || jsonb_build_object('version', z.version)) from (
      select distinct on (zone) zone, version, app.sealed(content) as kept from zone_versions v where v.case_id = i.id order by zone, version desc) z
      where z.kept is not null) as person
  from case_access a join case_index i on i.id = a.case_id, app.standing_of(i.id) s;
grant select on looks to app;
create function app.read_case(p_session uuid, p_offices text[], p_entry uuid, p_operation text, p_said jsonb, p_case uuid) returns setof looks
language plpgsql as $$
declare look looks;
begin
  perform app.enter(p_session, p_offices), set_config('app.entry', p_entry::text, true);
  select * into look from looks where id = p_case;
  if not found then perform app.refuse('not-found'); end if;
  perform app.write_entry(p_operation, p_said || jsonb_build_object('zones',
    coalesce((select jsonb_agg(z) from unnest(enum_range(null::zone)) z where look.person ? z::text), '[]')));
  return next look;
end $$;

-- History is written once; erasing takes out of it what the person is found or counted by, and nothing else.
create function app.keep_facts() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.facts = old.facts - app.match_keys()
      and to_jsonb(new) - 'facts' = to_jsonb(old) - 'facts' then
    return new;
  end if;
  perform app.refuse('forbidden');
end $$;
drop trigger keep_history on case_events;
create trigger keep_history before update or delete on case_events for each row execute function app.keep_facts();
create function app.keep_zones() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and num_nonnulls(new.sex, new.birth_year) = 0
      and to_jsonb(new) - '{sex,birth_year}'::text[] = to_jsonb(old) - '{sex,birth_year}'::text[] and app.sealed(new.content) is null then
    return new;
  end if;
  perform app.refuse('forbidden');
end $$;
drop trigger keep_history on zone_versions;
create trigger keep_history before update or delete on zone_versions for each row execute function app.keep_zones();

grant create on schema app to definer;
set local role definer;
grant execute on function app.keep_figures() to session_user; -- as long as it takes to hang it up
-- The caller's key for a case that they reach, or for that of a referral which they send or receive: the one that is kept, or
-- else this one, kept from now on. `p_file`: that of the file, if the case is the caller's own. Of what was erased there is
-- no new one; whoever erases it waits until what is being written stands there. By a lock of its own, shared by those who
-- write: two that share one on the case, and then want it for themselves, would wait for each other for ever.
drop function app.own_data_key(uuid, uuid, uuid, int, bytea);
create function app.own_data_key(p_case uuid, p_referral uuid, p_file boolean, p_id uuid, p_epoch int, p_wrapped bytea)
returns table (id uuid, epoch int, wrapped bytea) language plpgsql security definer set search_path = '' as $$
declare c public.cases; holder uuid;
begin
  select k.id into c.id from public.cases k where k.id = coalesce(p_case, (
    select r.case_id from public.referrals r where r.id = p_referral and app.org() in (r.from_id, r.to_id, r.owner_id)));
  perform pg_advisory_xact_lock_shared(7282, hashtext(c.id::text));
  select * into c from public.cases k where k.id = c.id;
  if not (p_file and c.owner_id = app.org()) then holder := app.org(); end if;
  return query select k.id, k.epoch, k.wrapped from public.data_keys k
    where k.case_id = c.id and (k.organisation_id = holder or holder is null and k.organisation_id is null) order by k.id desc limit 1;
  if found then return; end if;
  if c.id is null or p_referral is null and not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if c.erased_at is not null then perform app.refuse('file-erased'); end if;
  -- Whoever has not heard of the newest epoch yet must not wrap by one that may be destroyed.
  if p_epoch < (select max(k.epoch) from public.data_keys k) then perform app.refuse('unavailable'); end if;
  insert into public.data_keys values (p_id, c.id, holder, p_epoch, p_wrapped);
  return query select p_id, p_epoch, p_wrapped;
end $$;
revoke execute on function app.own_data_key(uuid, uuid, boolean, uuid, int, bytea) from public;
grant execute on function app.own_data_key(uuid, uuid, boolean, uuid, int, bytea) to app;

-- As before; to one whose file was erased nothing happens any more.
create or replace function app.holds(condition text, c public.cases, relations text[], p_facts jsonb, today date) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return c.erased_at is null and (condition is null or app.condition_holds(condition, c, relations, p_facts, today));
end $$;
create or replace function app.standing_of(p_case uuid, out relations text[], out needs_document boolean, out final boolean, out to_hand_over boolean)
language plpgsql stable security definer set search_path = '' as $$
declare c public.cases;
begin
  select k.* into c from public.cases k join public.case_access a on a.case_id = k.id
    where k.id = p_case and a.organisation_id = app.org() and a.until > app.now();
  if not found then return; end if;
  relations := case when c.erased_at is null then app.relations(app.org(), c.owner_id, c.handler_id) else '{}' end;
  if c.erased_at is null and exists (select from public.annullable_events e where e.case_id = c.id and e.organisation_id = app.org()) then
    relations := relations || 'recorder'::text;
  end if;
  if c.outcome is not null then
    needs_document := (select o.needs_document from public.codes o where o.list = 'outcome' and o.code = c.outcome);
  end if;
  final := c.final_on is null or c.final_on <= app.today();
  to_hand_over := c.state = 'documented' and exists (
    select from public.documents d where d.case_id = c.id and not d.annulled and not exists (
      select from public.standing_events e where e.case_id = c.id and e.facts ->> 'document' = d.event_id::text));
end $$;
-- One version after the other: nobody writes over what they have not read, nor into what was erased.
create or replace function app.check_zone_version() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases;
begin
  select * into c from public.cases k where k.id = new.case_id and k.owner_id = app.org() for key share;
  if c.erased_at is not null then perform app.refuse('file-erased'); end if;
  -- To all but the owner the policy says the same, whatever has been written.
  if c.id is not null and new.version <> 1 + coalesce((select max(version) from public.zone_versions where case_id = new.case_id and zone = new.zone), 0) then
    perform app.refuse('precondition-failed');
  end if;
  return new;
end $$;

-- As before; by an array, because a plan for the cases of a whole run would stay with the connection, for those who change one.
create or replace function app.keep_state() returns trigger language plpgsql security definer set search_path = '' as $$
declare touched uuid[] := array(select id from changed);
begin
  update public.case_access a set state = c.state, updated_at = c.updated_at from public.cases c where c.id = any (touched) and a.case_id = c.id;
  return null;
end $$;

-- As before; what is imported of a person is their file, with the documents that came along.
create or replace function app.write_import(p_job uuid, p_campaign uuid, rows app.import_row[]) returns void
language plpgsql security definer set search_path = '' as $$
declare basis jsonb := (select jsonb_build_object('kind', 'statute', 'legalReference', code)
  from public.codes where list = 'legal_basis' order by position limit 1);
begin
  insert into public.data_keys (id, case_id, organisation_id, epoch, wrapped)
    select key_id, case_id, case when stage > 0 then owner end, epoch, wrapped from unnest(rows) where stage = 0 or document_type is not null and stage < 3;
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
  insert into public.documents (event_id, case_id, committee_id, type, text_id, content, number_hmac, issued_on, expires_on)
    select e.id, r.case_id, coalesce(app.parent(), app.org()), r.document_type, r.text_id, r.document, decode(r.number_hmac, 'hex'), r.issued_on, r.expires_on
    from unnest(rows) r join public.case_events e on e.case_id = r.case_id and e.job_id = p_job and e.line = r.line
      and e.action = 'import_documented'
    where r.document_type is not null and r.stage < 3;
end $$;
reset role;
revoke create on schema app from definer;
create trigger keep_figures_of_erased after update on zone_versions referencing new table as written
  for each statement execute function app.keep_figures();
set local role definer;
revoke execute on function app.keep_figures() from session_user;
reset role;

grant execute on function app.why_kept(uuid, uuid), app.approve_erasures(uuid[]), app.erase(uuid), app.erasure_plan(uuid) to definer;
grant execute on function app.erasure_plan(uuid), app.request_erasure(uuid, uuid, text, bytea), app.decide_erasure(uuid, int, text),
  app.start_retention(uuid), app.decide_retention(uuid, int, text), app.retention_parts(uuid), app.approved_erasures(int), app.erase(uuid),
  app.compare_ledger(uuid[], uuid[]), app.read_case(uuid, text[], uuid, text, jsonb, uuid) to app;
call app.define(array[
  'app.why_kept(uuid,uuid)',
  'app.erasure_plan(uuid)',
  'app.request_erasure(uuid,uuid,text,bytea)',
  'app.approve_erasures(uuid[])',
  'app.decide_erasure(uuid,int,text)',
  'app.start_retention(uuid)',
  'app.decide_retention(uuid,int,text)',
  'app.retention_parts(uuid)',
  'app.approved_erasures(int)',
  'app.erase(uuid)',
  'app.compare_ledger(uuid[],uuid[])',
  'app.replay_erasure(jsonb)',
  'app.keep_zones()',
  'app.refuse_erased()'
]::regprocedure[]);
