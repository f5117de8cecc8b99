-- Reading the audit log.

-- The entries that an auditor asks for, newest first; a null filter matches all. Refuses other callers.
create function app.read_entries(p_account uuid, p_organisation uuid, p_case uuid, p_operations text[],
  p_outcomes text[], p_from timestamptz, p_to timestamptz, p_before uuid, p_limit int) returns setof jsonb
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  if not app.has_role('auditor') then perform app.refuse('forbidden'); end if;
  return query
    select convert_from(e.content, 'UTF8')::jsonb
    from public.entries e
    where (p_account is null or e.account_id = p_account)
      and (p_organisation is null or e.organisation_id = p_organisation)
      and (p_case is null or e.case_ids @> array[p_case])
      and (p_operations is null or e.operation = any (p_operations))
      and (p_outcomes is null or e.outcome = any (p_outcomes))
      and (p_from is null or e.at >= p_from) and (p_to is null or e.at < p_to)
      and (p_before is null or e.id < p_before)
    order by e.id desc limit p_limit;
end $$;
grant execute on function app.read_entries(
  uuid, uuid, uuid, text[], text[], timestamp with time zone, timestamp with time zone, uuid, integer) to app;

-- Shows the owner of a case who has read or changed it, newest first: organisation and roles, of its own organisation
-- also the account. Refused requests are left out: they showed nothing, and only auditors see them. Refuses others.
create function app.access_log(p_case uuid, p_before uuid, p_limit int) returns table (
  id uuid, at text, operation text, organisation jsonb, roles jsonb, account uuid, zones jsonb, grants jsonb)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  if not exists (select from public.cases c where c.id = p_case and c.owner_id = app.org())
      or not app.reaches(p_case) then
    perform app.refuse('not-found');
  end if;
  return query
    select e.id, c ->> 'at', e.operation, jsonb_build_object('id', o.id, 'name', o.name, 'kind', o.kind), c -> 'roles',
      case when e.organisation_id = app.org() then e.account_id end, coalesce(c -> 'zones', '[]'),
      coalesce((
        select jsonb_agg(jsonb_build_object('id', g.id, 'purpose', g.purpose, 'basis', g.basis) order by g.id)
        from public.grants g
        where g.case_id = p_case and c -> 'grants' ? g.id::text), '[]')
    from public.entries e join public.organisations o on o.id = e.organisation_id,
      lateral (select convert_from(e.content, 'UTF8')::jsonb as c) content
    where e.case_ids @> array[p_case] and (p_before is null or e.id < p_before) and e.outcome = 'done'
    order by e.id desc limit p_limit;
end $$;
grant execute on function app.access_log(uuid, uuid, integer) to app;
