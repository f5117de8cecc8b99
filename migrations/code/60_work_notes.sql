-- Notes.

-- Writes the next version of a note, or strikes it, which makes the last version. Refuses notes of other organisations,
-- an outdated version, and a struck note. An organisation that has lost the case can only strike a note that others
-- read: it may not write to them any longer.
create function app.rewrite_note(p_note uuid, p_version int, p_content bytea, p_struck boolean) returns void
language plpgsql security definer set search_path = '' as $$
declare n public.notes;
begin
  select * into n from public.notes where id = p_note for update;
  if n.id is null or n.organisation_id <> app.org() and not (n.audience = 'case' and app.reaches(n.case_id)) then
    perform app.refuse('not-found');
  elsif n.organisation_id <> app.org() then
    perform app.refuse('forbidden', 'Only the organisation that wrote the note changes it');
  elsif n.version <> p_version then
    perform app.refuse('precondition-failed');
  elsif n.struck then
    perform app.refuse('note-struck');
  elsif n.audience = 'case' and not p_struck and not app.reaches(n.case_id) then
    perform app.refuse('forbidden', 'The case is no longer open to you: a note that others read can only be struck');
  end if;
  insert into public.note_versions (note_id, version, content) values (n.id, n.version + 1, p_content);
  update public.notes set version = n.version + 1, struck = p_struck where id = n.id;
end $$;
grant execute on function app.rewrite_note(uuid, integer, bytea, boolean) to app;

-- A note is read by its organisation, and with audience `case` by every organisation that can read the case. Every
-- organisation that can read the case may write one.
grant select, insert (id, case_id, audience) on notes to app;
create policy seen on notes for select to app using (
  organisation_id = (select app.org())
  or audience = 'case' and (select true from case_access a where a.case_id = notes.case_id limit 1));
create policy written on notes for insert to app with check (
  organisation_id = (select app.org())
  and (select true from case_access a where a.case_id = notes.case_id and a.until > app.now() limit 1));

-- The organisation of a note reads all of its versions; others read the latest one, unless the note is struck.
grant select, insert (note_id, content) on note_versions to app;
create policy seen on note_versions for select to app using (exists (
  select from notes n
  where n.id = note_id
    and (n.organisation_id = (select app.org()) or n.version = note_versions.version and not n.struck)));
-- The account that made the note inserts its first version; app.rewrite_note() inserts the others.
create policy written on note_versions for insert to app with check (version = 1 and exists (
  select from notes n where n.id = note_id and n.created_by = (select app.account())));
create trigger keep_history before update or delete on note_versions for each row execute function app.keep_history();
