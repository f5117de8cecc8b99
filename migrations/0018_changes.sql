-- When what an organisation sees of a case changed last: the case itself, or what stands open of it. For those who keep in
-- step with the service; beside the other columns that lists are read by.
alter table case_access add column updated_at timestamptz;
update case_access a set updated_at = c.updated_at from cases c where c.id = a.case_id;
alter table case_access alter column updated_at set not null;
create index on case_access (organisation_id, updated_at, case_id);

grant create on schema app to definer;
set local role definer;

create or replace function app.keep_access() returns trigger language plpgsql security definer set search_path = '' as $$
declare touched uuid[] := array(select distinct case_id from changed);
begin
  insert into public.case_access as a
    select g.recipient_id, g.case_id, c.state, max(g.valid_until),
      coalesce(max(g.valid_until) filter (where 'identity' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'contact' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'whereabouts' = any (g.zones)), '-infinity'),
      coalesce(max(g.valid_until) filter (where 'protection' = any (g.zones)), '-infinity'), clock_timestamp()
    from public.grants g join public.cases c on c.id = g.case_id
    where g.case_id = any (touched) and g.closed_at is null and g.opened_at is not null
    group by g.recipient_id, g.case_id, c.state
    -- Whoever sees what they saw before is told of no change: what was opened to others is not theirs to know.
    on conflict (organisation_id, case_id) do update
      set (until, identity_until, contact_until, whereabouts_until, protection_until, updated_at) = (excluded.until,
        excluded.identity_until, excluded.contact_until, excluded.whereabouts_until, excluded.protection_until, excluded.updated_at)
      where (a.until, a.identity_until, a.contact_until, a.whereabouts_until, a.protection_until) is distinct from (excluded.until,
        excluded.identity_until, excluded.contact_until, excluded.whereabouts_until, excluded.protection_until);
  delete from public.case_access a where a.case_id = any (touched) and not exists (
    select from public.grants g where g.case_id = a.case_id and g.recipient_id = a.organisation_id
      and g.closed_at is null and g.opened_at is not null);
  return null;
end $$;

create or replace function app.keep_state() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update public.case_access a set state = c.state, updated_at = c.updated_at from changed c where a.case_id = c.id;
  return null;
end $$;

reset role;
revoke create on schema app from definer;
