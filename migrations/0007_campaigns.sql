create table campaigns (
  id uuid primary key default uuidv7(),
  organisation_id uuid not null default app.org() references organisations,
  name text not null check (name <> ''),
  starts_on date not null,
  ends_on date,
  version int not null default 1,
  constraint campaigns_check check (ends_on >= starts_on)
);
call app.guard(array['campaigns'::regclass]);
grant select, insert (id, name, starts_on, ends_on), update (name, starts_on, ends_on, version) on campaigns to app;
create policy directory on campaigns for select to app using ((select app.account()) is not null);
create policy organised on campaigns for insert to app with check (
  organisation_id = (select app.org()) and (select app.kind()) in ('committee', 'iom'));
create policy organised_change on campaigns for update to app using (organisation_id = (select app.org()));
