-- The end of a file.

-- Everything that is due by a day, to be erased in one go.
create table retention_runs (
  id uuid primary key,
  due_on date not null,
  state text not null default 'requested' check (state in ('requested', 'approved', 'rejected')),
  requested_by uuid not null default app.account() references accounts,
  requested_at timestamptz not null default app.now(),
  settled_by uuid references accounts,
  settled_at timestamptz,
  version int not null default 1,
  check (settled_by <> requested_by or state = 'rejected')
);
-- The end of what one organisation holds of one case: asked for by one person, approved by another, done by the service.
create table erasures (
  id uuid primary key,
  case_id uuid not null references cases,
  holder_id uuid not null references organisations,
  run_id uuid references retention_runs,
  purpose purpose, -- of a run: whose term ended last
  file boolean not null default false, -- with the file, of which the holder is the owner
  legal_basis text not null,
  content bytea, -- why; it goes with the rest
  state text not null default 'requested' check (state in ('requested', 'approved', 'rejected', 'done')),
  requested_by uuid references accounts, -- nobody that a restored database knows
  requested_at timestamptz not null,
  settled_by uuid references accounts,
  settled_at timestamptz,
  done_at timestamptz,
  epoch int, -- the newest one that wrapped what opened it: a backup opens it as long as that one or an older one exists
  version int not null default 1,
  check (settled_by <> requested_by or state = 'rejected'),
  check ((done_at is not null) = (state = 'done'))
);
create unique index erasures_pending on erasures (case_id, holder_id) where state in ('requested', 'approved');
create index on erasures (holder_id, id);
create index on erasures (run_id) where run_id is not null;
create index on erasures (id) where state = 'approved';

call app.guard(array['retention_runs', 'erasures']::regclass[]);
