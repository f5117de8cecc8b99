-- What a supervisor of the committee or of IOM confirms for an organisation that has no second person itself.

-- What waits for the caller as the second person of another organisation: erasures, proposals of an NGO, and grants in
-- vital interest. Codes and counts only: the caller does not read the case.
create function app.awaited_confirmations() returns table (id uuid, kind text, case_id uuid, organisation_id uuid,
  code text, reason text, zones public.zone[], goes jsonb, asked_by uuid, asked_at timestamptz, expires_on date,
  version int)
language sql stable security definer set search_path = '' as $$
  select e.id, 'erasure', e.case_id, e.holder_id, e.legal_basis, null, null::public.zone[],
    app.counts_of_part(e.case_id, e.holder_id, exists (
      select from public.cases c where c.id = e.case_id and c.owner_id = e.holder_id and c.erased_at is null)),
    e.requested_by, e.requested_at, null::date, e.version
  from public.erasures e
  where e.state = 'requested' and e.run_id is null
    and app.stands_in(e.holder_id, e.requested_by, '{supervisor}', true)
  union all
  select p.id, 'proposal', p.case_id, p.organisation_id, p.action, p.facts ->> 'reason', null::public.zone[],
    null::jsonb, p.proposed_by, p.proposed_at, p.expires_on, p.version
  from public.proposals p
  where p.state = 'open' and p.expires_on >= app.today() and not app.own_or_division(p.organisation_id)
    and app.stands_in(p.organisation_id, p.proposed_by, '{supervisor}', false)
  union all
  select g.id, 'grant', g.case_id, g.owner_id, g.purpose::text, null, g.zones, null::jsonb, g.given_by, g.given_at,
    (g.valid_until at time zone i.time_zone)::date, g.version
  from public.installation i, public.grants g
  where g.confirmed_at is null and app.grant_state(g) = 'open' and app.stands_in_for_grant(g)
$$;
grant execute on function app.awaited_confirmations() to app;

-- Confirms one of these. Refuses what is not among them, an outdated version, and what the operation itself refuses.
create function app.confirm_for_another(p_id uuid, p_version int) returns void
language plpgsql security definer set search_path = '' as $$
declare w record;
begin
  select * into w from app.awaited_confirmations() a where a.id = p_id;
  if not found then perform app.refuse('not-found'); end if;
  perform app.lock_case(w.case_id);
  if w.kind = 'erasure' then perform app.decide_erasure(p_id, p_version, 'approve');
  elsif w.kind = 'grant' then perform app.confirm_grant(p_id, p_version);
  elsif w.version <> p_version then perform app.refuse('precondition-failed');
  else insert into public.case_events (case_id, action, proposal_id) values (w.case_id, w.code, p_id);
  end if;
end $$;
grant execute on function app.confirm_for_another(uuid, integer) to app;
