create table imports (
  job_id uuid primary key references jobs,
  campaign_id uuid references campaigns,
  dry_run boolean not null,
  bytes bigint not null default 0,
  sha256 bytea,
  records int not null default 0, -- taken from the file so far
  registered int not null default 0,
  existing int not null default 0,
  rejected_rows int not null default 0
);

-- The file while it waits: read in order, gone at the end.
create table import_chunks (
  job_id uuid not null references jobs,
  position int not null,
  content bytea not null,
  primary key (job_id, position)
);

-- What is wrong with which row: line, field, reason; never the value.
create table import_faults (
  job_id uuid not null references jobs,
  line int not null,
  field text not null,
  reason text not null,
  primary key (job_id, line, field)
);

call app.guard(array['imports', 'import_chunks', 'import_faults']::regclass[]);
grant delete on import_chunks to definer;
grant select, insert, update (bytes, sha256, records, registered, existing, rejected_rows) on imports to app;
grant select, insert on import_chunks, import_faults to app;
create policy own on imports to app using (exists (select from jobs j where j.id = job_id));
create policy own on import_chunks to app using (exists (select from jobs j where j.id = job_id));
create policy own on import_faults to app using (exists (select from jobs j where j.id = job_id));

-- The waiting file of one's own job, gone.
create function app.discard_import(p_job uuid) returns void language sql security definer set search_path = '' as $$
  delete from public.import_chunks c using public.jobs j
  where c.job_id = p_job and j.id = p_job and j.account_id = app.account()
$$;
-- A job whose account may not go on with it.
create function app.abandon_job(p_job uuid, p_failure text) returns void language sql security definer set search_path = '' as $$
  update public.jobs set state = 'failed', failure = p_failure, ended_at = app.now() where id = p_job and state = 'running';
  delete from public.import_chunks where job_id = p_job
$$;
grant execute on function app.discard_import(uuid), app.abandon_job(uuid, text) to app;

call app.define(array[
  'app.discard_import(uuid)',
  'app.abandon_job(uuid,text)'
]::regprocedure[]);
