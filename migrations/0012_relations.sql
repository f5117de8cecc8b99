-- A family: links between cases, each seen by whoever sees both of them. "The other one is the … of this one."
create table relations (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  kind text not null check (kind in ('parent', 'child', 'spouse', 'sibling', 'guardian', 'ward')),
  other_id uuid not null references cases,
  organisation_id uuid not null default app.org() references organisations,
  made_by uuid not null default app.account() references accounts,
  made_at timestamptz not null default app.now(),
  ended_at timestamptz,
  ended_by uuid references accounts,
  constraint relations_of_two check (case_id <> other_id),
  check ((ended_at is null) = (ended_by is null))
);
create unique index relations_pair on relations (organisation_id, least(case_id, other_id), greatest(case_id, other_id)) where ended_at is null;
create index on relations (case_id) where ended_at is null;
create index on relations (other_id) where ended_at is null;

call app.guard(array['relations'::regclass]);
grant select on relations to app;
grant insert (id, case_id, kind, other_id), update (ended_at, ended_by) on relations to app;
create policy seen on relations for select to app using (
  (select true from case_access a where a.case_id = relations.case_id limit 1)
  and (select true from case_access a where a.case_id = relations.other_id limit 1));
create policy made on relations for insert to app with check (
  organisation_id = (select app.org())
  and exists (select from cases c where c.id = case_id and c.owner_id = (select app.org()))
  and (select true from case_access a where a.case_id = relations.other_id limit 1));
create policy ended on relations for update to app using (organisation_id = (select app.org()) and ended_at is null)
  with check (organisation_id = (select app.org()) and ended_by = (select app.account()));
