-- Accounts, and the codes by which a person sets their own password.

-- True if the caller manages the accounts of this organisation: supervisors manage those of their own organisation and
-- of its divisions; administrators those of kinds of organisation that have no supervisors (operator, oversight).
create function app.manages(organisation uuid) returns boolean
language sql stable security definer set search_path = '' return case
  when app.has_role('supervisor') then organisation = app.org()
    or exists (select from public.organisations o where o.id = organisation and o.parent_id = app.org())
  when app.has_role('administrator') then exists (
    select from public.organisations o where o.id = organisation and o.kind in ('operator', 'oversight'))
  else false end;
grant execute on function app.manages(uuid) to app;

-- True if the organisation has an account. An administrator creates only the first account of an organisation.
create function app.has_accounts(organisation uuid) returns boolean
language sql stable security definer set search_path = '' return
  exists (select from public.accounts where organisation_id = organisation);
grant execute on function app.has_accounts(uuid) to app;

-- Creates the first account of an organisation with its enrolment code; afterwards the administrator cannot see the
-- account. Refuses callers who are no administrators, and an organisation that has an account.
create function app.invite_first(
  p_account uuid, p_organisation uuid, p_email text, p_name text, p_role text, p_code_hash bytea) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if not app.has_role('administrator') then perform app.refuse('forbidden'); end if;
  perform from public.organisations where id = p_organisation for update;
  if app.has_accounts(p_organisation) then perform app.refuse('already-exists'); end if;
  insert into public.accounts (id, organisation_id, organisation_kind, email, name, roles)
    select p_account, id, kind, p_email, p_name, array[p_role] from public.organisations where id = p_organisation;
  insert into public.enrolments (account_id, code_hash, expires_at)
    values (p_account, p_code_hash, app.now() + app.term('enrolment_code'));
end $$;
grant execute on function app.invite_first(uuid, uuid, text, text, text, bytea) to app;

-- Before a supervisor is disabled or loses the role: refuses it for the last active supervisor of an organisation.
create function app.keep_supervisor() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  -- Two supervisors who disable each other at the same time wait for each other here.
  perform from public.organisations where id = old.organisation_id for update;
  if not exists (select from public.accounts
    where organisation_id = old.organisation_id and id <> old.id
      and status = 'active' and 'supervisor' = any (roles)) then
    perform app.refuse('last-supervisor');
  end if;
  return new;
end $$;
create trigger keep_supervisor before update of roles, status on accounts for each row
  when (old.status = 'active' and 'supervisor' = any (old.roles)
    and not (new.status = 'active' and 'supervisor' = any (new.roles)))
  execute function app.keep_supervisor();

-- Each account reads itself. The managers of an organisation read, invite and change its accounts; passwords are not
-- read.
grant select (id, organisation_id, organisation_kind, email, name, roles, status, version),
  insert (id, organisation_id, organisation_kind, email, name, roles), update (name, roles, status, version)
  on accounts to app;
create policy managed on accounts for select to app using (
  id = (select app.account()) or app.manages(organisation_id));
-- An administrator invites the first account of any organisation.
create policy invited on accounts for insert to app with check (
  status = 'invited' and (app.manages(organisation_id)
    or (select app.has_role('administrator')) and not app.has_accounts(organisation_id)));
create policy changed on accounts for update to app using (app.manages(organisation_id));

-- A caller who can read an account can read its enrolment; only the managers of the account write it.
grant select, insert, update on enrolments to app;
create policy managed on enrolments for select to app using (exists (select from accounts a where a.id = account_id));
create policy given on enrolments for insert to app with check (
  exists (select from accounts a where a.id = account_id and app.manages(a.organisation_id)));
create policy renewed on enrolments for update to app using (
  exists (select from accounts a where a.id = account_id and app.manages(a.organisation_id)));
