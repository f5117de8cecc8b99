-- Erasures, and the retention runs that request many of them at once.

-- A run requests the erasure of everything that is due by a day.
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

-- The erasure of what one organisation holds of one case: requested by one account, approved by another, then done.
create table erasures (
  id uuid primary key,
  case_id uuid not null references cases,
  holder_id uuid not null references organisations,
  run_id uuid references retention_runs,
  purpose purpose, -- of a run: the purpose for which the holder had to keep it longest
  file boolean not null default false, -- the file of the case is erased too, because the holder is its owner
  legal_basis text not null,
  content bytea, -- the reason; its key is erased with the others
  state text not null default 'requested' check (state in ('requested', 'approved', 'rejected', 'done')),
  requested_by uuid references accounts, -- null if a restored database does not have the account
  requested_at timestamptz not null,
  settled_by uuid references accounts,
  settled_at timestamptz,
  done_at timestamptz,
  -- The newest epoch that had wrapped one of the erased keys: backups can be opened while it or an older one exists.
  epoch int,
  version int not null default 1,
  check (settled_by <> requested_by or state = 'rejected'),
  check ((done_at is not null) = (state = 'done'))
);
create unique index erasures_pending on erasures (case_id, holder_id) where state in ('requested', 'approved');
create index on erasures (holder_id, id);
create index on erasures (run_id) where run_id is not null;
create index on erasures (id) where state = 'approved';

call app.guard(array['retention_runs', 'erasures']::regclass[]);
