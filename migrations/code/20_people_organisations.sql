-- The directory of organisations.

-- Of one's own organisation, or of one of its divisions: what a committee may look into and confirm.
create function app.own_or_division(organisation uuid) returns boolean language sql stable security definer set search_path = '' return
  organisation = app.org() or exists (select from public.organisations o where o.id = organisation and o.parent_id = app.org());
grant execute on function app.own_or_division(uuid) to app;

grant select, insert (id, kind, parent_id, name, short_name), update (name, status, version) on organisations to app;
-- A directory: a caseworker must find the division, and the other way round.
create policy directory on organisations for select to app using ((select app.account()) is not null);
create policy founded on organisations for insert to app with check ((select app.has_role('administrator')));
create policy administered on organisations for update to app using ((select app.has_role('administrator')));

grant select, insert, delete on coverage to app;
create policy directory on coverage for select to app using ((select app.account()) is not null);
create policy administered on coverage for insert to app with check ((select app.has_role('administrator')));
create policy withdrawn on coverage for delete to app using ((select app.has_role('administrator')));
