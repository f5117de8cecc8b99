-- Jobs.

-- Makes the account of a job the caller of this transaction, with its present rights, and returns it. Refuses an
-- account that is not active, has changed its organisation, or has none of the offices.
create function app.enter_job(p_job uuid, p_offices text[]) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare actor jsonb;
begin
  select jsonb_build_object('account', a.id, 'organisation', o.id, 'kind', o.kind, 'parent', o.parent_id,
      'roles', a.roles) into actor
    from public.jobs j
      join public.accounts a on a.id = j.account_id
      join public.organisations o on o.id = a.organisation_id
    where j.id = p_job and a.status = 'active' and o.status <> 'closed' and o.id = j.organisation_id;
  if actor is null then perform app.refuse('unauthorized'); end if;
  return app.admit(actor, p_offices);
end $$;
grant execute on function app.enter_job(uuid, text[]) to app;

-- Leases the oldest job that waits, or that a dead process left behind, and returns its id; null if there is none.
create function app.lease_job(lease interval) returns uuid language sql security definer set search_path = '' as $$
  update public.jobs
  set state = 'running', started_at = coalesce(started_at, app.now()), leased_until = clock_timestamp() + lease
  where id = (
    select id from public.jobs
    where state = 'queued' or state = 'running' and leased_until < clock_timestamp()
    order by id limit 1 for update skip locked)
  returning id
$$;
grant execute on function app.lease_job(interval) to app;

-- Marks a running job as failed and deletes its file. For a job whose account may no longer run it.
create function app.abandon_job(p_job uuid, p_failure text) returns void
language sql security definer set search_path = '' as $$
  update public.jobs set state = 'failed', failure = p_failure, ended_at = app.now()
  where id = p_job and state = 'running';
  delete from public.import_chunks where job_id = p_job
$$;
grant execute on function app.abandon_job(uuid, text) to app;

-- Each account reads and writes its own jobs; it must be of a division or committee to write one.
grant select, insert (id, kind, leased_until), update (state, started_at, ended_at, leased_until, failure)
  on jobs to app;
grant delete on jobs to definer;
create policy own on jobs to app
  using (account_id = (select app.account()))
  with check (account_id = (select app.account()) and (select app.kind()) in ('division', 'committee'));
