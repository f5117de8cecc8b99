-- The directory of organisations.

-- True for the caller's organisation and its divisions: a committee reads and confirms what its divisions propose.
create function app.own_or_division(organisation uuid) returns boolean
language sql stable security definer set search_path = '' return
  organisation = app.org()
  or exists (select from public.organisations o where o.id = organisation and o.parent_id = app.org());
grant execute on function app.own_or_division(uuid) to app;

-- A directory, which every account reads: a caseworker has to find the division, and the other way round.
-- Administrators create and change organisations.
grant select, insert (id, kind, parent_id, name, short_name), update (name, status, version) on organisations to app;
create policy directory on organisations for select to app using ((select app.account()) is not null);
create policy founded on organisations for insert to app with check ((select app.has_role('administrator')));
create policy administered on organisations for update to app using ((select app.has_role('administrator')));

-- Every account reads which regions a division covers; administrators set it.
grant select, insert, delete on coverage to app;
create policy directory on coverage for select to app using ((select app.account()) is not null);
create policy administered on coverage for insert to app with check ((select app.has_role('administrator')));
create policy withdrawn on coverage for delete to app using ((select app.has_role('administrator')));
