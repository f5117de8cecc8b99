create type organisation_kind as enum ('iom', 'committee', 'division', 'ngo', 'oversight', 'operator');

create table organisations (
  id uuid primary key default uuidv7(),
  kind organisation_kind not null,
  parent_id uuid,
  parent_kind organisation_kind generated always as (case when parent_id is not null then 'committee'::organisation_kind end) stored,
  name text not null,
  short_name text not null constraint organisations_short_name unique,
  status text not null default 'active' check (status in ('active', 'closed')),
  version int not null default 1,
  unique (id, kind),
  constraint organisations_parent foreign key (parent_id, parent_kind) references organisations (id, kind),
  check ((kind = 'division') = (parent_id is not null))
);

-- The regions that a division works for.
create table coverage (
  organisation_id uuid not null references organisations,
  region_code text not null references regions,
  primary key (organisation_id, region_code)
);

call app.guard(array['organisations', 'coverage']::regclass[]);
grant select on organisations, coverage to app;
grant insert (id, kind, parent_id, name, short_name), update (name, status, version) on organisations to app;
grant insert, delete on coverage to app;

-- A directory: a caseworker must find the division, and the other way round.
create policy directory on organisations for select to app using ((select app.account()) is not null);
create policy directory on coverage for select to app using ((select app.account()) is not null);
create policy founded on organisations for insert to app with check ((select app.has_role('administrator')));
create policy administered on organisations for update to app using ((select app.has_role('administrator')));
create policy administered on coverage for insert to app with check ((select app.has_role('administrator')));
create policy withdrawn on coverage for delete to app using ((select app.has_role('administrator')));
