-- The same wall, at less cost where it is passed most.

-- Protection is for whoever holds the case within its owner: asked of the rare row that it is about, not planned into each read.
create function app.holds_protection(p_case uuid) returns boolean language plpgsql stable security definer set search_path = '' as $$
begin
  return app.has_role('supervisor') or exists (select from public.cases c where c.id = p_case
    and (c.owner_id <> app.org() or c.assignee_id = app.account()));
end $$;
-- The zones that stand open to the caller: what the policy of zone_versions says, told to those who ask what is withheld.
create function app.open_zones(a case_access) returns zone[] language sql stable return array_remove(array[
  case when (a).identity_until > app.now() then 'identity'::zone end,
  case when (a).contact_until > app.now() then 'contact'::zone end,
  case when (a).whereabouts_until > app.now() then 'whereabouts'::zone end,
  case when (a).protection_until > app.now() and app.holds_protection((a).case_id) then 'protection'::zone end], null);
drop function app.open_zones(uuid);

-- What could be annulled: an event that nothing stands on, the last that moved the case or one that moved nothing and that
-- none refers to. Not the first one, nor a reopening, whose grant took the place of another one for good, nor what came
-- with a referral, which has decisions of its own.
create view annullable_events with (security_invoker) as
  select e.* from standing_events e where e.from_state <> '' and e.action <> 'reopen' and e.referral_id is null and not exists (
    select from standing_events later where later.case_id = e.case_id and later.id > e.id
      and (e.from_state <> e.to_state and later.from_state <> later.to_state or later.facts ->> 'document' = e.id::text));
grant select on annullable_events to definer;

-- Where a case stands for the caller: what they are to it, `recorder` if they could annul something, and what the steps of
-- the lifecycle ask beside its state. Nothing of one that they do not reach.
create function app.standing_of(p_case uuid, out relations text[], out needs_document boolean, out final boolean, out to_hand_over boolean)
language plpgsql stable security definer set search_path = '' as $$
declare c public.cases;
begin
  select k.* into c from public.cases k join public.case_access a on a.case_id = k.id
    where k.id = p_case and a.organisation_id = app.org() and a.until > app.now();
  if not found then return; end if;
  relations := app.relations(app.org(), c.owner_id, c.handler_id);
  if exists (select from public.annullable_events e where e.case_id = c.id and e.organisation_id = app.org()) then
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

-- The index of a case, as the API names it.
create view case_index with (security_invoker) as
  select c.id, c.number, c.campaign_id as "campaignId", c.state, c.outcome, c.region_code as "regionCode", c.category, c.causes,
    jsonb_build_object('id', o.id, 'name', o.name, 'kind', o.kind) as owner,
    case when h.id is not null then jsonb_build_object('id', h.id, 'name', h.name, 'kind', h.kind) end as handler,
    case when c.owner_id = (select app.org()) then c.assignee_id end as "assigneeId", c.registered_on as "registeredOn",
    case when c.waiting_for is not null then
      jsonb_build_object('waitingFor', c.waiting_for, 'since', c.waiting_since, 'dueOn', c.due_on) end as clock,
    app.rfc3339(c.updated_at) as "updatedAt", c.version
  from cases c join organisations o on o.id = c.owner_id left join organisations h on h.id = c.handler_id;
-- A case as far as it stands open to the caller.
create view looks with (security_invoker) as
  select i.*, s.relations, s.needs_document as "needsDocument", s.final, s.to_hand_over as "toHandOver", app.open_zones(a) as open,
    (select jsonb_build_object('kind', g.basis, 'method', g.method, 'language', g.language, 'formVersion', g.form_version,
        'legalReference', g.legal_reference, 'representative', g.representative)
      from open_grants g where g.case_id = i.id and g.purpose = 'case_management' and g.owner_id = g.recipient_id) as basis,
    (select jsonb_object_agg(z.zone, z.content || jsonb_build_object('version', z.version)) from (
      select distinct on (zone) zone, version, content from zone_versions v where v.case_id = i.id order by zone, version desc) z) as person
  from case_access a join case_index i on i.id = a.case_id, app.standing_of(i.id) s;
grant select on case_index, looks to app;

-- One case in one statement, which is a whole transaction: the caller is let in, looks, and has their entry, or nothing happens.
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

-- What a list of cases is asked for beside their state: null of what it is not.
create type case_filter as (outcome text[], region text[], category text[], campaign uuid[], owner uuid[], handler uuid[], assignee uuid[],
  overdue boolean, flagged boolean);
create function app.is_flagged(p_case uuid) returns boolean language plpgsql stable as $$
begin
  return exists (select from flags f where f.case_id = p_case and f.organisation_id = app.org() and f.cleared_at is null);
end $$;
create function app.is_asked(c cases, f case_filter) returns boolean language sql stable return
  ((f).outcome is null or c.outcome = any ((f).outcome)) and ((f).region is null or c.region_code = any ((f).region))
  and ((f).category is null or c.category = any ((f).category)) and ((f).campaign is null or c.campaign_id = any ((f).campaign))
  and ((f).owner is null or c.owner_id = any ((f).owner)) and ((f).handler is null or c.handler_id = any ((f).handler))
  and ((f).assignee is null or c.owner_id = app.org() and c.assignee_id = any ((f).assignee))
  and ((f).overdue is null or coalesce(c.due_on < app.today(), false) = (f).overdue)
  and ((f).flagged is null or app.is_flagged(c.id) = (f).flagged);

-- A page of the cases that stand open to the caller, the newest first, in one statement: driven by what is kept of the access
-- to them, state by state, so that each is read in the order of its own index and no further than a page. One case more than
-- `p_limit` if there is another page; it is not in the entry.
create function app.list_cases(p_session uuid, p_offices text[], p_entry uuid, p_operation text, p_said jsonb,
  p_states text[], p_filter case_filter, p_before uuid, p_limit int) returns setof case_index
language plpgsql as $$
declare page uuid[];
begin
  perform app.enter(p_session, p_offices), set_config('app.entry', p_entry::text, true);
  if p_states is null then
    page := array(select a.case_id from case_access a
      where a.case_id < p_before and (p_filter is null or exists (select from cases c where c.id = a.case_id and app.is_asked(c, p_filter)))
      order by a.case_id desc limit p_limit + 1);
  else
    page := array(select p.case_id from unnest(p_states) s(state), lateral (
        select a.case_id from case_access a
        where a.state = s.state and a.case_id < p_before
          and (p_filter is null or exists (select from cases c where c.id = a.case_id and app.is_asked(c, p_filter)))
        order by a.case_id desc limit p_limit + 1) p
      order by p.case_id desc limit p_limit + 1);
  end if;
  perform app.write_entry(p_operation, p_said || jsonb_build_object('cases', page[:p_limit]));
  return query select i.* from unnest(page) p(id) join case_index i on i.id = p.id order by i.id desc;
end $$;

-- As before: to whom it opens, it opens at once; that nothing stands open any more is asked only when something was closed.
grant create on schema app to definer;
set local role definer;
create or replace function app.keep_access() returns trigger language plpgsql security definer set search_path = '' as $$
declare touched uuid[] := array(select distinct case_id from changed);
begin
  insert into public.case_access as a
    select g.recipient_id, g.case_id, c.state, max(g.valid_until),
      coalesce(max(g.valid_until) filter (where 'identity' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'contact' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'whereabouts' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'protection' = any (g.zones)), '-infinity'), clock_timestamp()
    from public.grants g join public.cases c on c.id = g.case_id
    where g.case_id = any (touched) and g.closed_at is null and g.opened_at is not null
    group by g.recipient_id, g.case_id, c.state
    -- Whoever sees what they saw before is told of no change: what was opened to others is not theirs to know.
    on conflict (organisation_id, case_id) do update
      set (until, identity_until, contact_until, whereabouts_until, protection_until, updated_at) = (excluded.until,
        excluded.identity_until, excluded.contact_until, excluded.whereabouts_until, excluded.protection_until, excluded.updated_at)
      where (a.until, a.identity_until, a.contact_until, a.whereabouts_until, a.protection_until) is distinct from (excluded.until,
        excluded.identity_until, excluded.contact_until, excluded.whereabouts_until, excluded.protection_until);
  if tg_op = 'UPDATE' then
    delete from public.case_access a where a.case_id = any (touched) and not exists (
      select from public.grants g where g.case_id = a.case_id and g.recipient_id = a.organisation_id
        and g.closed_at is null and g.opened_at is not null);
  end if;
  return null;
end $$;
-- What an organisation is to a case of these parties.
create or replace function app.relations(organisation uuid, owner uuid, handler uuid) returns text[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select array_remove(array[
      case when organisation = owner then 'owner' end,
      case when organisation = handler then 'handler' end,
      case when bool_or(o.id = owner and o.id = organisation and o.kind in ('division', 'committee')) then 'authority' end,
      case when bool_or(o.parent_id = organisation or o.kind = 'committee' and o.id = organisation) then 'committee' end], null)
    from public.organisations o where o.id in (owner, handler));
end $$;
create or replace function app.annullable(e public.standing_events) returns boolean
language sql stable security definer set search_path = '' return exists (select from public.annullable_events a where a.id = e.id);
-- Most steps have no condition.
alter function app.holds(text, public.cases, text[], jsonb, date) rename to condition_holds;
create function app.holds(condition text, c public.cases, relations text[], p_facts jsonb, today date) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return condition is null or app.condition_holds(condition, c, relations, p_facts, today);
end $$;
revoke execute on function app.holds(text, public.cases, text[], jsonb, date) from public;
revoke execute on function app.annullable(public.standing_events), app.relations(uuid, uuid, uuid) from app; -- see app.standing_of()
reset role;
revoke create on schema app from definer;

-- As before; only who was looked at without being told is put together with the others.
create or replace function app.write_entry(p_operation text, p_said jsonb) returns void language plpgsql as $$
declare
  at timestamptz := clock_timestamp(); actor jsonb := app.actor(); looked text := nullif(current_setting('app.looked', true), '');
  cases uuid[] := array(select jsonb_array_elements_text(p_said -> 'cases'));
  opened public.zone[] := array(select jsonb_array_elements_text(p_said -> 'zones'));
begin
  if looked is not null then
    cases := array(select unnest(cases) union select string_to_table(looked, ',')::uuid);
    p_said := p_said || jsonb_build_object('cases', cases);
  end if;
  insert into public.entries (id, at, operation, outcome, account_id, organisation_id, case_ids, content)
  values (app.entry(), at, p_operation, 'done', (actor ->> 'account')::uuid, (actor ->> 'organisation')::uuid, cases,
    convert_to((jsonb_strip_nulls(jsonb_build_object('id', app.entry(), 'at', app.rfc3339(at), 'operation', p_operation, 'outcome', 'done',
      'account', actor -> 'account', 'organisation', actor -> 'organisation', 'session', actor -> 'session', 'roles', actor -> 'roles',
      'grants', (select jsonb_agg(g.id order by g.id) from public.open_grants g
        where g.case_id = any (cases) and (opened = '{}' or g.zones && opened)))) || p_said)::text, 'UTF8'));
end $$;

drop policy seen on zone_versions;
create policy seen on zone_versions for select to app using (
  (select true from case_access a where a.case_id = zone_versions.case_id and app.zone_until(a, zone_versions.zone) > app.now() limit 1)
  and (zone <> 'protection' or app.holds_protection(case_id)));
grant execute on function app.holds_protection(uuid), app.open_zones(case_access), app.standing_of(uuid), app.read_case(uuid, text[], uuid, text, jsonb, uuid),
  app.is_flagged(uuid), app.is_asked(cases, case_filter),
  app.list_cases(uuid, text[], uuid, text, jsonb, text[], case_filter, uuid, int) to app;
call app.define(array[
  'app.holds_protection(uuid)',
  'app.standing_of(uuid)'
]::regprocedure[]);
