-- Campaigns, and the jobs that import their registrations.

create table campaigns (
  id uuid primary key default uuidv7(),
  organisation_id uuid not null default app.org() references organisations,
  name text not null check (name <> ''),
  starts_on date not null,
  ends_on date,
  version int not null default 1,
  constraint campaigns_check check (ends_on >= starts_on)
);

-- Work that goes on after its request was answered. The process that receives or runs a job holds it until
-- leased_until; later another process may take it over, or delete what was received.
create table jobs (
  id uuid primary key default uuidv7(),
  kind text not null check (kind = 'import'),
  account_id uuid not null default app.account() references accounts,
  organisation_id uuid not null default app.org() references organisations,
  state text not null default 'receiving'
    check (state in ('receiving', 'queued', 'running', 'done', 'failed', 'cancelled')),
  created_at timestamptz not null default app.now(),
  started_at timestamptz, ended_at timestamptz,
  leased_until timestamptz,
  failure text -- the name of a problem
);
create index on jobs (account_id, id);
create index on jobs (state, id) where state in ('receiving', 'queued', 'running');

-- What a job of kind `import` reads, and its progress.
create table imports (
  job_id uuid primary key references jobs,
  campaign_id uuid references campaigns,
  dry_run boolean not null,
  bytes bigint not null default 0,
  sha256 bytea,
  total int, -- rows of the file
  records int not null default 0, -- rows read so far
  registered int not null default 0, -- new cases
  existing int not null default 0, -- rows about cases that were on record
  rejected_rows int not null default 0
);

-- The file of an import while it waits: read in the order of position, deleted at the end of the job.
create table import_chunks (
  job_id uuid not null references jobs,
  position int not null,
  content bytea not null,
  primary key (job_id, position)
);

-- The faults of a file: line, field and reason; never the value.
create table import_faults (
  job_id uuid not null references jobs,
  line int not null,
  field text not null,
  reason text not null,
  primary key (job_id, line, field)
);

call app.guard(array['campaigns', 'jobs', 'imports', 'import_chunks', 'import_faults']::regclass[]);
