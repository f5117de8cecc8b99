-- Jobs can be called off, say how much there is to do, and leave nothing behind when their file never came in whole.
alter table jobs drop constraint jobs_state_check;
alter table jobs add constraint jobs_state_check check (state in ('receiving', 'queued', 'running', 'done', 'failed', 'cancelled'));
create index on jobs (account_id, id);
create index on jobs (state, id) where state in ('receiving', 'queued', 'running');

alter table imports add column total int; -- rows of the file

-- From now on a waiting file is sealed: one that waits in clear is to be sent again.
update jobs set state = 'failed', failure = 'unavailable', ended_at = now() where state in ('receiving', 'queued', 'running');
delete from import_chunks;
grant insert (job_id, campaign_id, dry_run), update (total) on imports to app;
grant insert (leased_until) on jobs to app;
grant delete on jobs, imports, import_faults to definer;

-- A file that did not come in whole leaves no trace: one's own at once, anybody's when its time is over.
create function app.forget_imports(p_job uuid) returns void language plpgsql security definer set search_path = '' as $$
declare gone uuid[] := array(select id from public.jobs where state = 'receiving'
  and (id = p_job and account_id = app.account() or leased_until < clock_timestamp()) for update skip locked);
begin
  delete from public.import_chunks where job_id = any (gone);
  delete from public.imports where job_id = any (gone);
  delete from public.jobs where id = any (gone);
end $$;
grant execute on function app.forget_imports(uuid) to app;
call app.define(array['app.forget_imports(uuid)']::regprocedure[]);
