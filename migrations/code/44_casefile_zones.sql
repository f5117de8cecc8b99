-- The zones of a person, and the identifiers by which an identity is found.

-- The latest version of the identity of a case; null if there is none.
create function app.identity_version(p_case uuid) returns int
language plpgsql stable security definer set search_path = '' as $$
begin
  return (select max(version) from public.zone_versions where case_id = p_case and zone = 'identity');
end $$;

-- Before the caller inserts a version: refuses it if it is not the next one (the caller has not read the latest
-- version), if the file was erased or the case withdrawn, or if the caller has waited for a transfer and does not own
-- the case any more: the policy judges by what there was before it waited. Others than owners get the refusal of the
-- policy, so that they learn nothing. Versions that functions insert (an import) pass.
create function app.check_zone_version() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases;
begin
  select * into c from public.cases k where k.id = new.case_id and k.owner_id = app.org() for key share;
  if c.id is null and exists (select from public.grants g
      where g.case_id = new.case_id and g.recipient_id = app.org() and g.purpose = 'case_management') then
    perform app.refuse('not-found');
  end if;
  if c.erased_at is not null then perform app.refuse('file-erased'); end if;
  if c.state in ('withdrawn', 'merged') then perform app.refuse('action-not-allowed'); end if;
  if c.id is not null and new.version <> 1 + coalesce(
      (select max(version) from public.zone_versions where case_id = new.case_id and zone = new.zone), 0) then
    perform app.refuse('precondition-failed');
  end if;
  return new;
end $$;
create trigger check_version before insert on zone_versions for each row when (current_user = 'app')
  execute function app.check_zone_version();

-- Before a version is changed: refuses it, unless an erasure removes sex and birth year after it has deleted the key.
create function app.keep_zones() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and num_nonnulls(new.sex, new.birth_year) = 0
      and to_jsonb(new) - '{sex,birth_year}'::text[] = to_jsonb(old) - '{sex,birth_year}'::text[]
      and app.sealed(new.content) is null then
    return new;
  end if;
  perform app.refuse('forbidden');
end $$;
create trigger keep_history before update or delete on zone_versions for each row execute function app.keep_zones();

-- The owner writes zones, but not of a case in custody; protection only its supervisors and the assignee.
grant select, insert (case_id, zone, version, content, sex, birth_year) on zone_versions to app;
create policy written on zone_versions for insert to app with check (
  written_by = (select app.account()) and exists (select from cases c
    where c.id = case_id and c.owner_id = (select app.org()) and not c.in_custody
      and (zone <> 'protection' or (select app.has_role('supervisor')) or c.assignee_id = (select app.account()))));
-- A zone is read by every organisation to which it is open.
create policy seen on zone_versions for select to app using (
  (select true from case_access a
    where a.case_id = zone_versions.case_id and (app.zone_until(a, zone_versions.zone) > app.now()
      or zone_versions.zone = 'contact' and a.custody_until > app.now() and (select app.has_role('supervisor')))
    limit 1)
  and (zone <> 'protection' or app.holds_protection(case_id)));

-- Identifiers are read by every organisation to which the identity is open, and written by the account that wrote the
-- version of the identity, in the same transaction.
grant select, insert (case_id, version, kind, hmac) on identifiers to app;
grant delete on identifiers to definer;
create policy seen on identifiers for select to app using (
  (select true from case_access a where a.case_id = identifiers.case_id and a.identity_until > app.now() limit 1));
create policy written on identifiers for insert to app with check (exists (
  select from zone_versions z
  where z.case_id = identifiers.case_id and z.zone = identifiers.zone and z.version = identifiers.version
    and z.written_by = (select app.account()) and z.written_at >= now()));
