-- Accounts, and the codes by which a person sets their own password.

-- True if the caller manages the accounts of this organisation: supervisors manage those of their own organisation and
-- of its divisions, auditors and administrators those of their own organisation.
create function app.manages(organisation uuid) returns boolean
language sql stable security definer set search_path = '' return case
  when app.has_role('supervisor') then app.own_or_division(organisation)
  else (app.has_role('auditor') or app.has_role('administrator')) and organisation = app.org() end;
grant execute on function app.manages(uuid) to app;

-- True if one of these roles confirms what others ask for. Two people give such a role, and a code for such an account.
create function app.confirms(roles text[]) returns boolean language sql immutable return
  roles && '{supervisor,auditor,administrator}';
grant execute on function app.confirms(text[]) to app, definer;

-- True if these are the accounts of two people as far as the record shows: neither account made the code by which the
-- other one set its password, nor gave it roles; within the term two_people, or, with p_ever, at any time.
create function app.two_people(a uuid, b uuid, p_ever boolean) returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return coalesce(a <> b, false) and not exists (
    select from public.account_controls c
    where (c.account_id, c.controller_id) in ((a, b), (b, a))
      and (p_ever or c.at + app.term('two_people') > app.now()));
end $$;

-- True if the caller can be the second person for what this account did.
create function app.is_second_person(p_first uuid, p_ever boolean) returns boolean
language sql stable security definer set search_path = '' return app.two_people(app.account(), p_first, p_ever);
grant execute on function app.is_second_person(uuid, boolean) to app;

-- The active accounts of an organisation with one of these roles that can be the second person for what p_first did.
create function app.second_people(p_organisation uuid, p_first uuid, p_roles text[], p_ever boolean)
returns setof uuid language sql stable security definer set search_path = '' as $$
  select a.id from public.accounts a
  where a.organisation_id = p_organisation and a.status = 'active' and a.roles && p_roles
    and app.two_people(a.id, p_first, p_ever)
$$;

-- The active organisations whose supervisors confirm for one that has no second person: the committee of a division,
-- IOM for an NGO; none for others.
create function app.stand_ins(p_organisation uuid) returns setof public.organisations
language sql stable set search_path = '' as $$
  select s.* from public.organisations o
    join public.organisations s on s.id = o.parent_id or o.kind = 'ngo' and s.kind = 'iom'
  where o.id = p_organisation and s.status = 'active'
$$;
grant execute on function app.stand_ins(uuid) to definer;

-- True if the caller is a supervisor who confirms what p_first did in an organisation that has no second person itself.
create function app.stands_in(p_organisation uuid, p_first uuid, p_roles text[], p_ever boolean) returns boolean
language sql stable security definer set search_path = '' return
  app.has_role('supervisor') and app.org() in (select s.id from app.stand_ins(p_organisation) s)
  and app.is_second_person(p_first, p_ever)
  and not exists (select from app.second_people(p_organisation, p_first, p_roles, p_ever));

-- Refuses the caller as second person for what p_first did in this organisation, unless they are two people. If the
-- organisation has no second person, the refusal has the names of the organisations that can confirm it.
create function app.check_second_person(p_organisation uuid, p_first uuid, p_roles text[], p_ever boolean) returns void
language plpgsql stable security definer set search_path = '' as $$
declare others text;
begin
  if app.two_people(app.account(), p_first, p_ever) then return; end if;
  if exists (select from app.second_people(p_organisation, p_first, p_roles, p_ever)) then
    perform app.refuse('same-person');
  end if;
  select string_agg(s.name, ', ' order by s.name) into others from app.stand_ins(p_organisation) s;
  perform app.refuse('no-second-person', case
    when others is null then format('Your organisation needs another %s, appointed by two people',
      array_to_string(p_roles, ' or '))
    else 'A supervisor of one of these can confirm it: ' || others end);
end $$;

-- The people of the caller's organisation, as their colleagues may know them: without e-mail addresses.
create function app.colleagues() returns table (id uuid, name text, roles text[], active boolean)
language sql stable security definer set search_path = '' as $$
  select a.id, a.name, a.roles, a.status = 'active' from public.accounts a
  where a.organisation_id = app.org()
  order by a.name, a.id
$$;
grant execute on function app.colleagues() to app;

-- An account of the caller's organisation as its colleagues may know it, `{id, name}`; null for accounts of others.
create function app.colleague(p_account uuid) returns jsonb
language sql stable security definer set search_path = '' return (
  select jsonb_build_object('id', a.id, 'name', a.name) from public.accounts a
  where a.id = p_account and a.organisation_id = app.org());
grant execute on function app.colleague(uuid) to app;

-- True if this is the only active supervisor of an organisation. If that person loses the password, two administrators
-- make a new code.
create function app.is_only_supervisor(p_account uuid) returns boolean
language sql stable security definer set search_path = '' return exists (
  select from public.accounts a
  where a.id = p_account and a.status = 'active' and 'supervisor' = any (a.roles)
    and not exists (select from public.accounts b
      where b.organisation_id = a.organisation_id and b.id <> a.id and b.status = 'active'
        and 'supervisor' = any (b.roles)));
grant execute on function app.is_only_supervisor(uuid) to app;

-- True if the caller makes enrolment codes for this account.
create function app.enrols(p_account uuid) returns boolean
language sql stable security definer set search_path = '' return
  (select app.manages(a.organisation_id) from public.accounts a where a.id = p_account)
  or app.has_role('administrator') and app.is_only_supervisor(p_account);
grant execute on function app.enrols(uuid) to app;

-- What waits for a second person: roles that were asked for an account, and the code of an account that confirms.
create view waiting_accounts with (security_invoker) as
  select account_id, asked_by, roles, expires_at from role_requests where expires_at > app.now()
  union all
  select account_id, made_by, null, expires_at from enrolments
  where needs_second and confirmed_by is null and used_at is null and expires_at > app.now();
grant select on waiting_accounts to app, definer;

-- The active accounts that can confirm what p_first asked for an account: they and p_first are two people, and so are
-- they and the account. They confirm in its organisation, in the committee above it, or are administrators who have
-- never enrolled an account of the organisation.
create function app.vouchers(p_account uuid, p_first uuid) returns setof uuid
language sql stable security definer set search_path = '' as $$
  select s.id
  from public.accounts a
    join public.organisations o on o.id = a.organisation_id
    join public.accounts s on s.status = 'active' and app.confirms(s.roles)
      and (s.organisation_id in (o.id, o.parent_id) or s.organisation_kind = 'operator' and not exists (
        select from public.account_controls c join public.accounts x on x.id = c.account_id
        where x.organisation_id = o.id and c.controller_id = s.id))
  where a.id = p_account and app.two_people(s.id, p_first, false) and app.two_people(s.id, a.id, false)
$$;

-- True if the caller can confirm everything that waits for this account.
create function app.vouches(p_account uuid) returns boolean
language sql stable security definer set search_path = '' return coalesce((
  select bool_and(app.account() in (select app.vouchers(p_account, w.asked_by)))
  from public.waiting_accounts w where w.account_id = p_account), false);
grant execute on function app.vouches(uuid) to app;

-- Refuses to ask for something that nobody could confirm.
create function app.need_voucher(p_account uuid) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if not exists (select from app.vouchers(p_account, app.account())) then
    perform app.refuse('no-second-person', 'An administrator can confirm it who has not enrolled an account of this '
      || 'organisation; the operator makes one with `npm run admin -- create-administrator`');
  end if;
end $$;

-- Creates the first account of an organisation with its enrolment code; afterwards the administrator cannot see the
-- account. A second administrator confirms it in an organisation that watches or confirms for others. Refuses callers
-- who are no administrators, and an organisation that has an account.
create function app.invite_first(
  p_account uuid, p_organisation uuid, p_email text, p_name text, p_role text, p_code_hash bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare second boolean;
begin
  if not app.has_role('administrator') then perform app.refuse('forbidden'); end if;
  perform from public.organisations where id = p_organisation for update;
  if exists (select from public.accounts where organisation_id = p_organisation) then
    perform app.refuse('already-exists');
  end if;
  insert into public.accounts (id, organisation_id, organisation_kind, email, name, roles)
    select p_account, id, kind, p_email, p_name, array[p_role] from public.organisations where id = p_organisation;
  insert into public.enrolments (account_id, code_hash, expires_at, made_by, needs_second)
    select p_account, p_code_hash, app.now() + app.term('enrolment_code'), app.account(),
      o.kind not in ('ngo', 'division')
    from public.organisations o where o.id = p_organisation
    returning needs_second into second;
  if second then perform app.need_voucher(p_account); end if;
end $$;
grant execute on function app.invite_first(uuid, uuid, text, text, text, bytea) to app;

-- Before an enrolment code is stored: records who made it. A code for an account that confirms, or is to confirm, needs
-- a second person. Refuses it if nobody could be that person.
create function app.note_enrolment() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  new.made_by := app.account();
  new.used_at := null;
  new.confirmed_by := null;
  new.needs_second := (select app.confirms(a.roles) from public.accounts a where a.id = new.account_id);
  if new.needs_second then
    perform app.need_voucher(new.account_id);
    update public.accounts set version = version + 1 where id = new.account_id and tg_op = 'UPDATE';
  end if;
  return new;
end $$;
create trigger note_enrolment before insert or update on enrolments for each row when (current_user = 'app')
  execute function app.note_enrolment();

-- Before the caller changes roles: records that the caller gave them. Roles that confirm wait for a second person: the
-- account keeps its roles until then. Refuses them if nobody could be that person.
create function app.note_roles() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  delete from public.role_requests where account_id = new.id;
  if new.roles = old.roles then return new; end if;
  if not app.confirms(array(select unnest(new.roles) except select unnest(old.roles))) then
    insert into public.account_controls values (new.id, app.account(), 'roles');
    return new;
  end if;
  insert into public.role_requests
    values (new.id, new.organisation_kind, new.roles, app.account(), app.now() + app.term('enrolment_code'));
  perform app.need_voucher(new.id);
  new.roles := old.roles;
  return new;
end $$;
create trigger note_roles before update of roles on accounts for each row when (current_user = 'app')
  execute function app.note_roles();

-- Confirms, as a second person, the roles and the code that wait for an account. A code that one person made before the
-- account confirms is not valid any more: with it that person would have the account. Refuses an account that the
-- caller cannot read, an outdated version, an account for which nothing waits, and a caller who cannot confirm it.
create function app.confirm_account(p_account uuid, p_version int) returns void
language plpgsql security definer set search_path = '' as $$
declare a public.accounts; asked public.role_requests;
begin
  select * into a from public.accounts where id = p_account for update;
  if a.id is null or not app.manages(a.organisation_id) and not app.vouches(a.id) and not app.enrols(a.id) then
    perform app.refuse('not-found');
  elsif a.version <> p_version then perform app.refuse('precondition-failed');
  elsif not exists (select from public.waiting_accounts w where w.account_id = a.id) then
    perform app.refuse('nothing-to-confirm');
  elsif not app.vouches(a.id) then perform app.refuse('same-person');
  end if;
  update public.enrolments set confirmed_by = app.account()
    where account_id = a.id and needs_second and confirmed_by is null;
  delete from public.role_requests where account_id = a.id and expires_at > app.now() returning * into asked;
  if asked.roles is not null then
    insert into public.account_controls values (a.id, asked.asked_by, 'roles');
    update public.enrolments set expires_at = app.now()
      where account_id = a.id and not needs_second and used_at is null;
  end if;
  update public.accounts set roles = coalesce(asked.roles, roles), version = version + 1 where id = a.id;
end $$;
grant execute on function app.confirm_account(uuid, integer) to app;

-- Before a supervisor is disabled or loses the role: refuses it for the last active supervisor of an organisation.
create function app.keep_supervisor() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  -- Two supervisors who disable each other at the same time wait for each other here.
  perform from public.organisations where id = old.organisation_id for update;
  if app.is_only_supervisor(old.id) then perform app.refuse('last-supervisor'); end if;
  return new;
end $$;
create trigger keep_supervisor before update of roles, status on accounts for each row
  when (old.status = 'active' and 'supervisor' = any (old.roles)
    and not (new.status = 'active' and 'supervisor' = any (new.roles)))
  execute function app.keep_supervisor();

-- Each account reads itself. The managers of an organisation read, invite and change its accounts; passwords are not
-- read. Whoever can confirm what waits for an account reads it, and administrators the only supervisor.
grant select (id, organisation_id, organisation_kind, email, name, roles, status, version),
  insert (id, organisation_id, organisation_kind, email, name, roles), update (name, roles, status, version)
  on accounts to app;
create policy managed on accounts for select to app using (
  id = (select app.account()) or app.manages(organisation_id) or app.vouches(id)
  or (select app.has_role('administrator')) and app.is_only_supervisor(id));
create policy invited on accounts for insert to app with check (status = 'invited' and app.manages(organisation_id));
create policy changed on accounts for update to app using (app.manages(organisation_id));

-- A caller who can read an account can read its enrolment, and what was asked for it.
grant select, insert (account_id, code_hash, expires_at), update (code_hash, expires_at) on enrolments to app;
create policy managed on enrolments for select to app using (exists (select from accounts a where a.id = account_id));
create policy given on enrolments for insert to app with check (app.enrols(account_id));
create policy renewed on enrolments for update to app using (app.enrols(account_id));
grant select on role_requests to app;
grant delete on role_requests to definer;
create policy asked on role_requests for select to app using (exists (select from accounts a where a.id = account_id));
