-- Closing an organisation: only when nobody's case depends on it any more.

-- What an organisation still has, by kind: all of it has to be handed over, ended or answered before it is closed.
create view remainders with (security_invoker) as
  select owner_id as organisation_id, 'cases_owned' as what, count(*)::int as count
  from cases where erased_at is null and state not in ('closed', 'withdrawn', 'merged') group by 1
  union all
  select handler_id, 'cases_handled', count(*)::int
  from cases
  where erased_at is null and handler_id <> owner_id and state not in ('closed', 'withdrawn', 'merged') group by 1
  union all
  select owner_id, 'grants_given', count(*)::int -- whoever owns the case can revoke them
  from grants
  where basis <> 'statute' and recipient_id <> owner_id and closed_at is null and valid_until > app.now() group by 1
  union all
  select o.id, 'referrals', count(*)::int
  from referrals r join organisations o on o.id in (r.from_id, r.to_id)
  where r.state = 'offered' and r.expires_at > app.now() group by 1
  union all
  select organisation_id, 'proposals', count(*)::int
  from proposals where state = 'open' and expires_on >= app.today() group by 1
  union all
  select organisation_id, 'jobs', count(*)::int from jobs where state in ('receiving', 'queued', 'running') group by 1
  union all
  select holder_id, 'erasures', count(*)::int from erasures where state in ('requested', 'approved') group by 1;
grant select on remainders to definer;

-- What is left of an organisation, for its own accounts and for administrators. Refuses others.
create function app.remainder(p_organisation uuid) returns table (what text, count int)
language plpgsql stable security definer set search_path = '' as $$
begin
  if p_organisation is distinct from app.org() and not app.has_role('administrator') then
    perform app.refuse('not-found');
  end if;
  return query select r.what, r.count from public.remainders r where r.organisation_id = p_organisation order by 1;
end $$;
grant execute on function app.remainder(uuid) to app;

-- Before the status of an organisation changes: sets the last day of its closing. Refuses to close the custodian, one
-- that is not closing, and one that has something left. When it is closed, what it was given ends.
create function app.check_closing() returns trigger language plpgsql security definer set search_path = '' as $$
declare remaining text;
begin
  new.closing_until := case when new.status = 'closing' then
    coalesce(old.closing_until, app.term_end(app.today(), 'closing')) end;
  if new.status <> 'active' and new.id = (select i.custodian_id from public.installation i) then
    perform app.refuse('organisation-in-use', 'It is the custodian: name another one first');
  end if;
  if new.status <> 'closed' then return new; end if;
  if old.status <> 'closing' then
    perform app.refuse('organisation-in-use', 'Set the status to closing first');
  end if;
  select string_agg(r.what || ' ' || r.count, ', ' order by r.what) into remaining
    from public.remainders r where r.organisation_id = new.id;
  if remaining is not null then perform app.refuse('organisation-in-use', 'Left: ' || remaining); end if;
  perform app.lock_case(c.id) from public.cases c
    where c.id in (select g.case_id from public.grants g where g.recipient_id = new.id and g.closed_at is null)
    order by c.id;
  perform app.close_grants(array(
    select g.id from public.grants g
    where g.recipient_id = new.id and g.owner_id <> new.id and g.closed_at is null), 'organisation_closed');
  return new;
end $$;
create trigger check_closing before update of status on organisations for each row
  when (old.status is distinct from new.status) execute function app.check_closing();

-- Called by the service at intervals: gives up to p_limit cases of NGOs and IOMs whose closing is over to the
-- custodian, with an audit entry, and returns their number. Ends what the organisations have under way with them, and
-- sets a task to ask each person who should keep the file. Does nothing until a custodian has been named.
create function app.entrust_cases(p_limit int) returns int
language plpgsql security definer set search_path = '' as $$
declare
  custodian uuid := (select i.custodian_id from public.installation i);
  held uuid[] := array(
    select c.id from public.cases c join public.organisations o on o.id = c.owner_id
    where custodian is not null and o.kind in ('ngo', 'iom') and o.closing_until < app.today()
      and c.erased_at is null and c.state not in ('closed', 'withdrawn', 'merged')
    order by c.id limit p_limit for update of c skip locked);
begin
  if held = '{}' then return 0; end if;
  perform app.write_own_entry('case.entrust', jsonb_build_object('cases', held));
  perform app.settle_referral(r, 'recall', null, null)
    from public.referrals r join public.cases c on c.id = r.case_id and c.owner_id = r.from_id
    where r.case_id = any (held) and r.state = 'offered';
  update public.erasures
    set state = 'rejected', settled_at = app.now(), version = version + 1
    where case_id = any (held) and state = 'requested'
      and holder_id = (select c.owner_id from public.cases c where c.id = case_id);
  insert into public.case_events (case_id, action, facts)
    select id, 'entrust', jsonb_build_object('owner', custodian, 'basis', jsonb_build_object('kind', 'custody'))
    from unnest(held) id;
  perform app.make_task('ask_person', custodian, g.case_id, g.id, null, app.term_end(app.today(), 'custody'))
    from public.grants g
    where g.case_id = any (held) and g.basis = 'custody' and g.closed_at is null;
  return cardinality(held);
end $$;
grant execute on function app.entrust_cases(int) to app;

-- Names the IOM that gets the cases of organisations that have closed. Refuses callers who are no administrators, and
-- other organisations than an active IOM.
create function app.name_custodian(p_organisation uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if not app.has_role('administrator') then perform app.refuse('forbidden'); end if;
  if not exists (select from public.organisations o
      where o.id = p_organisation and o.kind = 'iom' and o.status = 'active') then
    perform app.refuse('invalid-request', 'Expected an active organisation of the kind iom', '#/custodian');
  end if;
  update public.installation set custodian_id = p_organisation;
end $$;
grant execute on function app.name_custodian(uuid) to app;

-- After a case was made: refuses it if its owner is closing or closed.
create function app.check_owner_active() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from made m join public.organisations o on o.id = m.owner_id where o.status <> 'active') then
    perform app.refuse('organisation-closing');
  end if;
  return null;
end $$;
create trigger check_owner_active after insert on cases referencing new table as made
  for each statement execute function app.check_owner_active();
