-- The wall: which organisation can read which case, and which zones of it.

-- The version of a case as the caller sees it: for its owner, and nobody else, an assignment is a version.
create function app.version_of(c cases) returns int language sql stable return
  (c).version + case when (c).owner_id = app.org() then (c).assignments else 0 end;
grant execute on function app.version_of(cases) to app, definer;

-- The instant of the last change of a case that this organisation may learn of.
create function app.updated_at(c cases, organisation uuid) returns timestamptz language sql immutable return
  greatest((c).updated_at, case when (c).owner_id = organisation then (c).assigned_at end);
grant execute on function app.updated_at(cases, uuid) to app, definer;

-- Locks a case and returns it; null if there is none. The one rule of locks: what changes who can read a case locks the
-- case first (several in the order of their ids), and then its grant, referral, proposal or erasure. Two orders would
-- let a share be given onward from a grant that is revoked at the same time, and would end in deadlocks.
create function app.lock_case(p_case uuid) returns public.cases language sql security definer set search_path = '' as $$
  select * from public.cases where id = p_case for update
$$;

-- The open grants of the caller's organisation: opened, not suspended, not closed, and not at their end by the clock. A
-- grant expires by the clock alone: each read compares its end with app.now(), here and in the policy of case_access.
-- No job closes it; the sweep (app.expire_referrals) only ends the task that waited for its confirmation. Custody is
-- open to supervisors only.
create view open_grants with (security_invoker) as
  select * from grants
  where recipient_id = (select app.org()) and closed_at is null and suspended_for = '{}'
    and opened_at <= app.now() and valid_until > app.now()
    and (basis <> 'custody' or (select app.has_role('supervisor')));
grant select on open_grants to app, definer;

-- The state of a grant at this moment: closed, expired, offered, suspended or open.
create function app.grant_state(g grants) returns text language sql stable return case
  when g.closed_at is not null then 'closed'
  when g.valid_until <= app.now() then 'expired'
  when g.opened_at is null then 'offered'
  when g.suspended_for <> '{}' then 'suspended'
  else 'open' end;
grant execute on function app.grant_state(grants) to app, definer;

-- The instant until which a row of case_access opens this zone.
create function app.zone_until(a case_access, z zone) returns timestamptz language sql immutable return case z
  when 'identity' then (a).identity_until
  when 'contact' then (a).contact_until
  when 'whereabouts' then (a).whereabouts_until
  when 'protection' then (a).protection_until end;
grant execute on function app.zone_until(case_access, zone) to app, definer;

-- True if the caller can read the case. For security definer functions, which bypass the policies.
create function app.reaches(p_case uuid) returns boolean
language sql stable security definer set search_path = '' return exists (
  select from public.case_access a
  where a.case_id = p_case and a.organisation_id = app.org()
    and (a.until > app.now() or a.custody_until > app.now() and app.has_role('supervisor')));

-- True if the case is open to the caller's organisation and they may read its zone protection, if that is open too:
-- within the owner, only supervisors and the assignee. In plpgsql, so that it runs for the few rows of this zone and is
-- not planned into each read.
create function app.holds_protection(p_case uuid) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return app.reaches(p_case) and (app.has_role('supervisor') or exists (
    select from public.cases c where c.id = p_case and (c.owner_id <> app.org() or c.assignee_id = app.account())));
end $$;
grant execute on function app.holds_protection(uuid) to app;

-- True if the caller's organisation has, or had, the case in custody only: then just its supervisors may know of it.
create function app.had_custody_only(p_case uuid) returns boolean
language sql stable security definer set search_path = '' return
  exists (select from public.grants g
    where g.case_id = p_case and g.recipient_id = app.org() and g.basis = 'custody')
  and not exists (select from public.grants g
    where g.case_id = p_case and g.recipient_id = app.org() and g.basis <> 'custody' and g.opened_at is not null);
grant execute on function app.had_custody_only(uuid) to app;

-- The zones that are open to the caller, by the rule of the policy of zone_versions: replies list those withheld.
create function app.open_zones(a case_access) returns zone[] language sql stable return array_remove(array[
  case when (a).identity_until > app.now() then 'identity'::zone end,
  case when (a).contact_until > app.now() or (a).custody_until > app.now() and app.has_role('supervisor')
    then 'contact'::zone end,
  case when (a).whereabouts_until > app.now() then 'whereabouts'::zone end,
  case when (a).protection_until > app.now() and app.holds_protection((a).case_id) then 'protection'::zone end], null);
grant execute on function app.open_zones(case_access) to app;

-- After grants were written: keeps case_access equal to the grants of their cases that are opened, not suspended and
-- not closed.
create function app.keep_access() returns trigger language plpgsql security definer set search_path = '' as $$
declare touched uuid[] := array(select distinct case_id from changed);
begin
  insert into public.case_access as a
    select g.recipient_id, g.case_id, c.state,
      coalesce(max(g.valid_until) filter (where g.basis <> 'custody'), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'identity' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'contact' = any (g.zones) and g.basis <> 'custody'), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'whereabouts' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'protection' = any (g.zones)), '-infinity'), clock_timestamp(),
      coalesce(max(g.valid_until) filter (where g.basis = 'custody'), '-infinity')
    from public.grants g join public.cases c on c.id = g.case_id
    where g.case_id = any (touched) and g.closed_at is null and g.opened_at is not null and g.suspended_for = '{}'
    group by g.recipient_id, g.case_id, c.state
    -- updated_at changes only with an organisation's own access: what was opened to others is not its concern.
    on conflict (organisation_id, case_id) do update
      set (until, identity_until, contact_until, whereabouts_until, protection_until, custody_until, updated_at)
        = (excluded.until, excluded.identity_until, excluded.contact_until, excluded.whereabouts_until,
          excluded.protection_until, excluded.custody_until, excluded.updated_at)
      where (a.until, a.identity_until, a.contact_until, a.whereabouts_until, a.protection_until, a.custody_until)
        is distinct from (excluded.until, excluded.identity_until, excluded.contact_until, excluded.whereabouts_until,
          excluded.protection_until, excluded.custody_until);
  if tg_op = 'UPDATE' then
    delete from public.case_access a
      where a.case_id = any (touched) and not exists (select from public.grants g
        where g.case_id = a.case_id and g.recipient_id = a.organisation_id
          and g.closed_at is null and g.opened_at is not null and g.suspended_for = '{}');
  end if;
  return null;
end $$;
create trigger keep_access_of_new after insert on grants referencing new table as changed
  for each statement execute function app.keep_access();
create trigger keep_access_of_changed after update on grants referencing new table as changed
  for each statement execute function app.keep_access();

-- After cases were updated: copies their state and the time of a change to the rows of those who may learn of it. By an
-- array of ids: a plan made for all cases of an import would stay in the connection, and would then serve statements
-- that change one case.
create function app.keep_state() returns trigger language plpgsql security definer set search_path = '' as $$
declare touched uuid[] := array(select id from changed);
begin
  update public.case_access a
    set state = c.state, updated_at = greatest(a.updated_at, app.updated_at(c, a.organisation_id))
    from public.cases c
    where c.id = any (touched) and a.case_id = c.id
      and (a.state <> c.state or a.updated_at < app.updated_at(c, a.organisation_id));
  return null;
end $$;
create trigger keep_state after update on cases referencing new table as changed
  for each statement execute function app.keep_state();

-- Grants are read by the recipient once opened (custody by its supervisors), and by the owner of the case and a giver
-- while they can read the case. Only functions write them.
grant select on grants to app;
create policy seen on grants for select to app using (
  recipient_id = (select app.org()) and opened_at is not null
    and (basis <> 'custody' or (select app.has_role('supervisor')))
  or (select app.org()) in (owner_id, giver_id)
    and (select true from case_access a where a.case_id = grants.case_id limit 1));

-- Each organisation reads its own access, while it lasts; custody is read by supervisors. Every other policy on cases
-- asks this table.
grant select on case_access to app;
grant delete on case_access to definer;
create policy seen on case_access for select to app using (
  organisation_id = (select app.org())
  and (until > app.now() or custody_until > app.now() and (select app.has_role('supervisor'))));
