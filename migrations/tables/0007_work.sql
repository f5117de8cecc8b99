-- The work of an organisation on a case: notes, assignments, tasks, flags.

-- A note stays with its organisation for ever; other organisations read notes of audience `case` while they can read
-- the case. Nothing is deleted: a note is rewritten, or struck, and the version that strikes it is its last one.
create table notes (
  id uuid primary key,
  case_id uuid not null references cases,
  organisation_id uuid not null default app.org() references organisations,
  audience text not null check (audience in ('organisation', 'case')),
  created_by uuid not null default app.account() references accounts,
  created_at timestamptz not null default app.now(),
  struck boolean not null default false,
  version int not null default 1
);
create index on notes (case_id, id);
create index on notes (organisation_id, id);
create table note_versions (
  note_id uuid not null references notes,
  version int not null default 1,
  content bytea not null, -- the text, or the reason why the note was struck
  written_by uuid not null default app.account() references accounts,
  written_at timestamptz not null default app.now(),
  primary key (note_id, version)
);

-- The history of assignments of a case. Each row belongs to the organisation that owned the case at that time.
create table assignments (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  organisation_id uuid not null references organisations,
  assignee_id uuid references accounts,
  assigned_by uuid references accounts,
  assigned_at timestamptz not null
);
create index on assignments (case_id, id);

-- What an organisation has to do. A task is set by hand by one of its accounts, or by the system, which then names the
-- grant or the referral that the task is about.
create table tasks (
  id uuid primary key default uuidv7(),
  kind text not null default 'by_hand',
  organisation_id uuid not null default app.org() references organisations,
  case_id uuid references cases,
  grant_id uuid references grants,
  referral_id uuid references referrals,
  assignee_id uuid,
  due_on date,
  content bytea, -- the title; tasks of the system have none
  created_by uuid default app.account() references accounts,
  created_at timestamptz not null default app.now(),
  done_by uuid references accounts,
  done_at timestamptz,
  version int not null default 1,
  constraint tasks_assignee foreign key (assignee_id, organisation_id) references accounts (id, organisation_id),
  check ((kind = 'by_hand') = (content is not null)),
  check (kind <> 'by_hand' or case_id is not null)
);
create index on tasks (organisation_id, id);
create index on tasks (organisation_id, id) where done_at is null;
create index on tasks (assignee_id, id) where done_at is null;
create index on tasks (case_id);
create index on tasks (grant_id) where grant_id is not null;
create index on tasks (referral_id) where referral_id is not null;

-- What an organisation has to keep in mind about a case until it clears the flag.
create table flags (
  id uuid primary key,
  case_id uuid not null references cases,
  organisation_id uuid not null default app.org() references organisations,
  kind text not null,
  due_on date,
  content bytea not null, -- why it was raised
  raised_by uuid not null default app.account() references accounts,
  raised_at timestamptz not null default app.now(),
  cleared_by uuid references accounts,
  cleared_at timestamptz,
  clearance bytea, -- why it was cleared
  version int not null default 1,
  check ((cleared_at is null) = (clearance is null))
);
create index on flags (case_id);
create index on flags (organisation_id, case_id) where cleared_at is null;

call app.guard(array['notes', 'note_versions', 'assignments', 'tasks', 'flags']::regclass[]);
