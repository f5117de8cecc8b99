-- Reading cases: one, and lists of them.

-- Before the owner assigns a case to another account: counts it.
create function app.count_assignment() returns trigger language plpgsql as $$
begin
  new.assignments := old.assignments + 1;
  new.assigned_at := clock_timestamp();
  return new;
end $$;
create trigger count_assignment before update of assignee_id on cases for each row when (old.owner_id = new.owner_id)
  execute function app.count_assignment();

-- What the service needs to list the steps that the caller may take: the caller's relations to the case (recorder: an
-- event of theirs can be annulled), and what conditions ask for. Nulls if the caller cannot read the case.
create function app.case_position(
  p_case uuid, out relations text[], out needs_document boolean, out final boolean, out to_hand_over boolean)
language plpgsql stable security definer set search_path = '' as $$
declare c public.cases;
begin
  select k.* into c from public.cases k join public.case_access a on a.case_id = k.id
    where k.id = p_case and a.organisation_id = app.org()
      and (a.until > app.now() or a.custody_until > app.now() and app.has_role('supervisor'));
  if not found then return; end if;
  relations := case when c.erased_at is null
    then app.relations(app.org(), c.owner_id, c.handler_id, c.in_custody) else '{}' end;
  if c.erased_at is null and exists (
      select from public.annullable_events e where e.case_id = c.id and e.organisation_id = app.org()) then
    relations := relations || 'recorder'::text;
  end if;
  if c.outcome is not null then
    needs_document := (select o.needs_document from public.codes o where o.list = 'outcome' and o.code = c.outcome);
  end if;
  final := c.final_on is null or c.final_on <= app.today();
  to_hand_over := c.state = 'documented' and exists (select from public.documents d
    where d.case_id = c.id and not d.annulled and not exists (
      select from public.valid_events e where e.case_id = c.id and e.facts ->> 'document' = d.event_id::text));
end $$;
grant execute on function app.case_position(uuid) to app;

-- The index of a case as the API returns it. Only the owner sees the assignee.
create view case_index with (security_invoker) as
  select c.id, c.number, c.campaign_id as "campaignId", c.state, c.outcome, c.region_code as "regionCode", c.category,
    c.causes, jsonb_build_object('id', o.id, 'name', o.name, 'kind', o.kind) as owner,
    case when h.id is not null then jsonb_build_object('id', h.id, 'name', h.name, 'kind', h.kind) end as handler,
    case when c.owner_id = (select app.org()) then c.assignee_id end as "assigneeId",
    c.registered_on as "registeredOn",
    case when c.waiting_for is not null then
      jsonb_build_object('waitingFor', c.waiting_for, 'since', c.waiting_since, 'dueOn', c.due_on) end as clock,
    app.rfc3339(app.updated_at(c, (select app.org()))) as "updatedAt",
    app.version_of(c) as version, app.rfc3339(c.erased_at) as "erasedAt"
  from cases c join organisations o on o.id = c.owner_id left join organisations h on h.id = c.handler_id;
grant select on case_index to app;

-- A case as the caller may see it: its index, its position (relations, needsDocument, final, toHandOver, on which the
-- allowed actions depend), open zones, legal basis, and the latest version of each zone, sealed.
create view looks with (security_invoker) as
  select i.*, s.relations, s.needs_document as "needsDocument", s.final, s.to_hand_over as "toHandOver",
    app.open_zones(a) as open,
    (select jsonb_build_object('kind', g.basis, 'method', g.method, 'language', g.language,
        'formVersion', g.form_version, 'legalReference', g.legal_reference, 'representative', g.representative)
      from open_grants g
      where g.case_id = i.id and g.purpose = 'case_management' and g.owner_id = g.recipient_id) as basis,
    (select jsonb_object_agg(z.zone, z.kept || jsonb_build_object('version', z.version))
      from (
        select distinct on (zone) zone, version, app.sealed(content) as kept
        from zone_versions v
        where v.case_id = i.id
        order by zone, version desc) z
      where z.kept is not null) as person
  from case_access a join case_index i on i.id = a.case_id, app.case_position(i.id) s;
grant select on looks to app;

-- Reads one case in one statement that is a whole transaction: admits the caller, reads, and writes the audit entry, or
-- does none of it. Refuses what app.enter refuses, and a case that the caller cannot read.
create function app.read_case(
  p_session uuid, p_offices text[], p_entry uuid, p_operation text, p_said jsonb, p_case uuid) returns setof looks
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
grant execute on function app.read_case(uuid, text[], uuid, text, jsonb, uuid) to app;

-- Counts the cases of which the caller's account is shown a zone: each once a day. Refuses more than the threshold
-- allows (the answer is rolled back with it), until the next day in the time zone of the installation. A registration
-- does not count: it shows what the caller has typed. Parallel requests of an account wait for each other only when
-- they open a case for the first time that day.
create function app.count_opened(p_cases uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
declare account uuid := app.account(); opened int; ends timestamptz;
begin
  if account is null or not exists (
      select from unnest(p_cases) c where not exists (
        select from public.openings o join public.opened_cases k on k.account_id = o.account_id
        where o.account_id = account and o.ends_at > app.now() and k.case_id = c))
    or exists (
      select from public.case_events e
      where e.case_id = any (p_cases) and e.account_id = account and e.from_state = '' and e.recorded_at >= now()) then
    return;
  end if;
  insert into public.openings values (account, '-infinity', 0, true) on conflict do nothing;
  select o.ends_at into ends from public.openings o where o.account_id = account for update;
  if ends <= app.now() then
    ends := app.end_of(app.today());
    delete from public.opened_cases where account_id = account;
    update public.openings set ends_at = ends, cases = 0, told = false where account_id = account;
  end if;
  with counted as (
    insert into public.opened_cases select account, c from unnest(p_cases) c on conflict do nothing returning 1)
  update public.openings set cases = cases + (select count(*) from counted)
    where account_id = account
    returning cases into opened;
  if opened > (select t.value from public.thresholds t where t.threshold = 'cases_opened_a_day') then
    perform app.refuse_for('too-many-cases', ceil(extract(epoch from ends - app.now()))::int);
  end if;
end $$;
grant execute on function app.count_opened(uuid[]) to app;
grant delete on opened_cases to definer;

-- What a list of cases is filtered by, besides their state. A null matches every case.
create type case_filter as (outcome text[], region text[], category text[], campaign uuid[], owner uuid[],
  handler uuid[], assignee uuid[], overdue boolean, flagged boolean);

-- True if the caller's organisation has a flag on the case that is not cleared.
create function app.is_flagged(p_case uuid) returns boolean language plpgsql stable as $$
begin
  return exists (
    select from flags f where f.case_id = p_case and f.organisation_id = app.org() and f.cleared_at is null);
end $$;
grant execute on function app.is_flagged(uuid) to app;

-- True if the case passes the filter. Only the owner can filter by assignee.
create function app.is_asked(c cases, f case_filter) returns boolean language sql stable return
  ((f).outcome is null or c.outcome = any ((f).outcome))
  and ((f).region is null or c.region_code = any ((f).region))
  and ((f).category is null or c.category = any ((f).category))
  and ((f).campaign is null or c.campaign_id = any ((f).campaign))
  and ((f).owner is null or c.owner_id = any ((f).owner))
  and ((f).handler is null or c.handler_id = any ((f).handler))
  and ((f).assignee is null or c.owner_id = app.org() and c.assignee_id = any ((f).assignee))
  and ((f).overdue is null or coalesce(c.due_on < app.today(), false) = (f).overdue)
  and ((f).flagged is null or app.is_flagged(c.id) = (f).flagged);
grant execute on function app.is_asked(cases, case_filter) to app;

-- Returns a page of the cases that the caller can read, newest first, in one statement that is a whole transaction.
-- Reads case_access state by state, so that each state is read in the order of its own index and no further than a
-- page. Returns one case more than p_limit if there is another page; that case is not in the audit entry.
create function app.list_cases(p_session uuid, p_offices text[], p_entry uuid, p_operation text, p_said jsonb,
  p_states text[], p_filter case_filter, p_before uuid, p_limit int) returns setof case_index
language plpgsql as $$
declare page uuid[];
begin
  perform app.enter(p_session, p_offices), set_config('app.entry', p_entry::text, true);
  if p_states is null then
    page := array(
      select a.case_id from case_access a
      where a.case_id < p_before
        and (p_filter is null or exists (select from cases c where c.id = a.case_id and app.is_asked(c, p_filter)))
      order by a.case_id desc limit p_limit + 1);
  else
    page := array(
      select p.case_id
      from unnest(p_states) s(state), lateral (
        select a.case_id from case_access a
        where a.state = s.state and a.case_id < p_before
          and (p_filter is null or exists (select from cases c where c.id = a.case_id and app.is_asked(c, p_filter)))
        order by a.case_id desc limit p_limit + 1) p
      order by p.case_id desc limit p_limit + 1);
  end if;
  perform app.write_entry(p_operation, p_said || jsonb_build_object('cases', page[:p_limit]));
  return query select i.* from unnest(page) p(id) join case_index i on i.id = p.id order by i.id desc;
end $$;
grant execute on function app.list_cases(uuid, text[], uuid, text, jsonb, text[], case_filter, uuid, integer) to app;

-- A case is read by every organisation that has access to it. A scalar subquery: the planner would turn `exists` into a
-- hashed subplan over all cases that the organisation can read.
grant select, update (assignee_id) on cases to app;
create policy seen on cases for select to app using (
  (select true from case_access a where a.case_id = cases.id limit 1));
-- Supervisors of the owner assign it.
create policy assigned on cases for update to app using (
  owner_id = (select app.org()) and (select app.has_role('supervisor')) and erased_at is null);
