-- Retention runs.

-- Starts a retention run: requests the erasure of the parts that are due, longest due first, as many as the threshold
-- allows. Shows the administrator no case. Refuses other callers.
create function app.start_retention(p_id uuid) returns void language plpgsql security definer set search_path = '' as $$
begin
  if not app.has_role('administrator') then perform app.refuse('forbidden'); end if;
  insert into public.retention_runs (id, due_on) values (p_id, app.today());
  insert into public.erasures (id, case_id, holder_id, run_id, purpose, legal_basis, requested_by, requested_at)
    select uuidv7(), d.case_id, d.holder_id, p_id, d.purpose, 'retention_ended', app.account(), app.now()
    from public.due_parts d
    where d.due_on <= app.today()
    order by d.due_on
    limit (select t.value from public.thresholds t where t.threshold = 'retention_run');
end $$;
grant execute on function app.start_retention(uuid) to app;

-- Approves or rejects a retention run as a whole; parts that have to stay by now are rejected. Refuses callers who are
-- no administrators, an outdated version, and approval by the administrator who started it.
create function app.decide_retention(p_run uuid, p_version int, p_decision text) returns void
language plpgsql security definer set search_path = '' as $$
declare r public.retention_runs; due uuid[];
begin
  select * into r from public.retention_runs where id = p_run for update;
  if r.id is null or not app.has_role('administrator') then perform app.refuse('not-found'); end if;
  if r.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if r.state <> 'requested' then perform app.refuse('erasure-settled'); end if;
  if p_decision = 'approve' then
    perform app.check_second_person(app.org(), r.requested_by, '{administrator}', true);
    perform from public.cases c
      where c.id in (select e.case_id from public.erasures e where e.run_id = r.id)
      order by c.id for update;
    due := array(
      select e.id from public.erasures e
      where e.run_id = r.id and e.state = 'requested' and app.why_kept(e.case_id, e.holder_id) is null);
    perform app.approve_erasures(due);
  end if;
  update public.erasures
    set state = 'rejected', settled_by = app.account(), settled_at = app.now(), version = version + 1
    where run_id = r.id and state = 'requested';
  update public.retention_runs set state = case p_decision when 'approve' then 'approved' else 'rejected' end,
      settled_by = app.account(), settled_at = app.now(), version = version + 1
    where id = r.id;
end $$;
grant execute on function app.decide_retention(uuid, integer, text) to app;

-- Returns to an administrator how many parts of a run belong to which holder and purpose, and how many are done.
create function app.retention_parts(p_run uuid)
returns table (holder_id uuid, purpose public.purpose, parts int, done int)
language plpgsql stable security definer set search_path = '' as $$
begin
  if not app.has_role('administrator') then perform app.refuse('forbidden'); end if;
  return query
    select e.holder_id, e.purpose, count(*)::int, (count(*) filter (where e.state = 'done'))::int
    from public.erasures e
    where e.run_id = p_run
    group by 1, 2;
end $$;
grant execute on function app.retention_parts(uuid) to app;

-- Administrators read the runs. Only functions write them.
grant select on retention_runs to app;
create policy seen on retention_runs for select to app using ((select app.has_role('administrator')));
