-- Campaigns.

-- A directory, which every account reads. Committees and IOM create campaigns, and change their own.
grant select, insert (id, name, starts_on, ends_on), update (name, starts_on, ends_on, version) on campaigns to app;
create policy directory on campaigns for select to app using ((select app.account()) is not null);
create policy organised on campaigns for insert to app with check (
  organisation_id = (select app.org()) and (select app.kind()) in ('committee', 'iom'));
create policy organised_change on campaigns for update to app using (organisation_id = (select app.org()));
