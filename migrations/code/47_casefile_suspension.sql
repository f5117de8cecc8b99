-- What a correction of the person's file changes in the grants that rest on the consent of the person.

-- Suspends for this reason exactly these grants of a case, and those given onward from them. Others of the case that
-- were suspended for it are so no more. Sets a task to renew the consent for the giver of each. Returns what changed.
create function app.suspend_grants(p_case uuid, p_reason text, p_grants uuid[])
returns table (grant_id uuid, effect text, valid_until timestamptz)
language plpgsql security definer set search_path = '' as $$
declare affected uuid[] := array(select app.given_onward(p_grants)); changed public.grants;
begin
  for changed in
    update public.grants g
      set version = g.version + 1, suspended_for = case
        when g.id = any (affected) then g.suspended_for || p_reason
        else array_remove(g.suspended_for, p_reason) end
      where g.case_id = p_case and g.closed_at is null
        and (p_reason = any (g.suspended_for)) <> (g.id = any (affected))
      returning g.* loop
    if changed.suspended_for = '{}' then
      perform app.finish_tasks('renew_consent', changed.id, null);
    elsif changed.id = any (p_grants) and cardinality(changed.suspended_for) = 1 then
      perform app.ask_for_renewal(changed);
    end if;
    grant_id := changed.id;
    effect := case when changed.suspended_for = '{}' then 'resumed' else 'suspended' end;
    valid_until := changed.valid_until;
    return next;
  end loop;
end $$;

-- Sets a task for the giver of a grant to renew the consent, unless there is one that is not done.
create function app.ask_for_renewal(g public.grants) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from public.tasks t
      where t.kind = 'renew_consent' and t.grant_id = g.id and t.done_at is null) then
    perform app.make_task('renew_consent', g.giver_id, g.case_id, g.id, null,
      app.term_end(app.today(), 'consent_renewal'));
  end if;
end $$;

-- Locks the case for its owner, who is about to correct the file. Refuses others.
create function app.lock_for_correction(p_case uuid) returns public.cases
language plpgsql security definer set search_path = '' as $$
declare c public.cases := app.lock_case(p_case);
begin
  if c.owner_id is distinct from app.org() then perform app.refuse('not-found'); end if;
  return c;
end $$;

-- Called before the owner writes an identity; born: the latest possible birth date, null if unknown; p_child: the
-- person may be a child. A grant for which a representative agreed ends soon after the person comes of age. A grant
-- without a representative is suspended while the person may be a child. The owner's own grant goes on, with a task.
create function app.review_representatives(p_case uuid, born date, p_child boolean)
returns table (grant_id uuid, effect text, valid_until timestamptz)
language plpgsql security definer set search_path = '' as $$
declare
  c public.cases := app.lock_for_correction(p_case); own public.grants;
  ends timestamptz := app.end_of((born + app.term('majority') + app.term('consent_after_majority'))::date);
begin
  return query
    update public.grants g set valid_until = ends, version = g.version + 1
    where g.case_id = c.id and g.basis = 'consent' and g.recipient_id <> g.owner_id and g.closed_at is null
      and g.representative is not null and g.valid_until > greatest(ends, app.now())
    returning g.id, case when ends > app.now() then 'shortened' else 'ended' end, g.valid_until;
  return query select * from app.suspend_grants(c.id, 'representative_missing', array(
    select g.id from public.grants g
    where p_child and g.case_id = c.id and g.basis = 'consent' and g.recipient_id <> g.owner_id
      and g.representative is null and g.closed_at is null and g.valid_until > app.now()));
  select * into own from public.grants g
    where g.case_id = c.id and g.recipient_id = c.owner_id and g.purpose = 'case_management' and g.closed_at is null;
  if p_child and own.representative is null or own.representative is not null and ends <= app.now() then
    perform app.ask_for_renewal(own);
    return query select own.id, 'renewal_needed', own.valid_until;
  else
    perform app.finish_tasks('renew_consent', own.id, null);
  end if;
end $$;
grant execute on function app.review_representatives(uuid, date, boolean) to app;

-- Called before the owner writes the zone protection; p_states: the States that must not learn of the person. A grant
-- that names one of them is suspended.
create function app.review_states(p_case uuid, p_states text[])
returns table (grant_id uuid, effect text, valid_until timestamptz)
language plpgsql security definer set search_path = '' as $$
declare c public.cases := app.lock_for_correction(p_case);
begin
  return query select * from app.suspend_grants(c.id, 'state_must_not_know', array(
    select g.id from public.grants g
    where g.case_id = c.id and g.basis = 'consent' and g.states && p_states and g.closed_at is null
      and g.valid_until > app.now()));
end $$;
grant execute on function app.review_states(uuid, text[]) to app;
