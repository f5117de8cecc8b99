-- Links between the cases of a family.

-- A link is read by every organisation that can read both cases.
grant select, insert (id, case_id, kind, other_id), update (ended_at, ended_by) on relations to app;
grant delete on relations to definer;
create policy seen on relations for select to app using (
  (select true from case_access a where a.case_id = relations.case_id limit 1)
  and (select true from case_access a where a.case_id = relations.other_id limit 1));
-- It is made by the owner of the first case, to a case that the owner can read; neither file may be erased.
create policy made on relations for insert to app with check (
  organisation_id = (select app.org())
  and exists (select from cases c where c.id = case_id and c.owner_id = (select app.org()) and c.erased_at is null
    and not c.in_custody)
  and (select true from cases c where c.id = relations.other_id and c.erased_at is null));
-- It is ended by the organisation that made it.
create policy ended on relations for update to app
  using (organisation_id = (select app.org()) and ended_at is null)
  with check (organisation_id = (select app.org()) and ended_by = (select app.account()));
