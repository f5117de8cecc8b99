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

-- What an identity is found by: keyed hashes of numbers and of the parts of names. Never unique, only found.
create table identifiers (
  case_id uuid not null,
  zone zone not null default 'identity' check (zone = 'identity'),
  version int not null,
  kind text not null check (kind in ('iin', 'document', 'name')),
  hmac bytea not null,
  primary key (case_id, version, kind, hmac),
  foreign key (case_id, zone, version) references zone_versions deferrable initially deferred
);
create index on identifiers (hmac);

call app.guard(array['zone_versions', 'identifiers']::regclass[]);
grant select on zone_versions, identifiers to app;
grant insert (case_id, zone, version, content, sex, birth_year) on zone_versions to app;
grant insert (case_id, version, kind, hmac) on identifiers to app;

-- Within the owner, protection opens to the assignee and supervisors only.
create policy seen on zone_versions for select to app using (
  (select true from case_access a where a.case_id = zone_versions.case_id and app.zone_until(a, zone_versions.zone) > app.now() limit 1)
  and (zone <> 'protection' or (select app.has_role('supervisor')) or exists (select from cases c where c.id = case_id
    and (c.owner_id <> (select app.org()) or c.assignee_id = (select app.account())))));
-- The owner writes zones, until the person has withdrawn or another case went on for this one. The first version of an
-- imported case is written by whoever imports it for its division.
create policy written on zone_versions for insert to app with check (
  written_by = (select app.account()) and (
    exists (select from cases c where c.id = case_id and c.owner_id = (select app.org()) and c.state not in ('withdrawn', 'merged')
      and (zone <> 'protection' or (select app.has_role('supervisor')) or c.assignee_id = (select app.account())))
    or version = 1 and exists (select from case_events e where e.case_id = zone_versions.case_id
      and e.action = 'import_registered' and e.account_id = (select app.account()) and e.recorded_at >= now())));

create policy seen on identifiers for select to app using (
  (select true from case_access a where a.case_id = identifiers.case_id and a.identity_until > app.now() limit 1));
create policy written on identifiers for insert to app with check (
  exists (select from zone_versions z where z.case_id = identifiers.case_id and z.zone = identifiers.zone
    and z.version = identifiers.version and z.written_by = (select app.account()) and z.written_at >= now()));

-- The zones that stand open to the caller: the policies above, told to those who ask what is withheld.
create function app.open_zones(p_case uuid) returns zone[] language sql stable as $$
  select coalesce(array_agg(z), '{}') from unnest(enum_range(null::zone)) z, case_access a join cases c on c.id = a.case_id
  where a.case_id = p_case and app.zone_until(a, z) > app.now()
    and (z <> 'protection' or app.has_role('supervisor') or c.owner_id <> app.org() or c.assignee_id = app.account())
$$;
grant execute on function app.open_zones(uuid) to app;

-- One version after the other: nobody writes over what they have not read.
create function app.check_zone_version() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  -- To all but the owner the policy says the same, whatever has been written.
  if exists (select from public.cases c where c.id = new.case_id and c.owner_id = app.org()) and new.version <> 1 + coalesce((select max(version) from public.zone_versions where case_id = new.case_id and zone = new.zone), 0) then
    perform app.refuse('precondition-failed');
  end if;
  return new;
end $$;
create trigger check_version before insert on zone_versions for each row execute function app.check_zone_version();
create trigger keep_history before update or delete on zone_versions for each row execute function app.keep_history();
call app.define(array['app.check_zone_version()']::regprocedure[]);
