-- What is known about the person: whole documents, every version kept. Sex and birth year of the identity stand beside
-- it for the figures.
create table zone_versions (
  case_id uuid not null references cases deferrable initially deferred,
  zone zone not null,
  version int not null,
  content jsonb not null,
  sex text, birth_year int,
  written_at timestamptz not null default clock_timestamp(),
  written_by uuid not null default app.account() references accounts,
  primary key (case_id, zone, version),
  check (zone = 'identity' or sex is null and birth_year is null)
);

-- What the person ends up holding. A number is unique in the register of one committee only.
create table documents (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  committee_id uuid not null references organisations,
  type text not null,
  content jsonb not null,
  number_hmac bytea not null,
  issued_on date not null,
  expires_on date check (expires_on >= issued_on),
  constraint documents_number unique (committee_id, type, number_hmac)
);
create index on documents (case_id);

call app.guard(array['zone_versions', 'documents']::regclass[]);
grant select on zone_versions, documents to app;
grant insert (case_id, zone, version, content, sex, birth_year) on zone_versions to app;
grant insert (case_id, committee_id, type, content, number_hmac, issued_on, expires_on) on documents to app;

create policy seen on zone_versions for select to app using (
  exists (select from open_grants g where g.case_id = zone_versions.case_id and zone_versions.zone = any (g.zones)));
-- The owner writes zones; the first version of an imported case is written by whoever imports it for its division.
create policy written on zone_versions for insert to app with check (
  written_by = (select app.account()) and (
    exists (select from cases c where c.id = case_id and c.owner_id = (select app.org()))
    or version = 1 and exists (select from case_events e where e.case_id = zone_versions.case_id
      and e.action = 'import_registered' and e.account_id = (select app.account()))));

create policy seen on documents for select to app using (
  exists (select from open_grants g where g.case_id = documents.case_id and 'identity' = any (g.zones)));
create policy recorded on documents for insert to app with check (
  committee_id in ((select app.org()), (select app.parent()))
  and exists (select from open_grants g where g.case_id = documents.case_id));
