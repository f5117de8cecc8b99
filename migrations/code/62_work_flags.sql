-- Flags.

-- Clears a flag of the caller's organisation. Refuses others, a flag on a case that the caller cannot read, an outdated
-- version, and a flag that is cleared.
create function app.clear_flag(p_flag uuid, p_version int, p_clearance bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare f public.flags;
begin
  select * into f from public.flags
    where id = p_flag and organisation_id = app.org() and app.reaches(case_id) for update;
  if f.id is null then perform app.refuse('not-found'); end if;
  if f.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if f.cleared_at is not null then perform app.refuse('flag-cleared'); end if;
  update public.flags
    set cleared_at = app.now(), cleared_by = app.account(), clearance = p_clearance, version = version + 1
    where id = f.id;
end $$;
grant execute on function app.clear_flag(uuid, integer, bytea) to app;

-- Flags are read and raised by their organisation, while it can read the case.
grant select, insert (id, case_id, kind, due_on, content) on flags to app;
grant delete on flags to definer;
create policy seen on flags for select to app using (
  organisation_id = (select app.org())
  and (select true from case_access a where a.case_id = flags.case_id limit 1));
create policy written on flags for insert to app with check (
  organisation_id = (select app.org())
  and (select true from case_access a where a.case_id = flags.case_id and a.until > app.now() limit 1));
