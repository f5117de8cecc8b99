-- Who had control of whose account: made the code by which it set its password, or gave it roles.
create table account_controls (
  account_id uuid not null references accounts,
  controller_id uuid not null references accounts,
  what text not null check (what in ('enrolment', 'roles')),
  at timestamptz not null default app.now()
);
create index on account_controls (account_id);
create index on account_controls (controller_id);

-- Roles that were asked for an account and wait for a second person; one request per account at a time.
create table role_requests (
  account_id uuid primary key references accounts,
  organisation_kind organisation_kind not null,
  roles text[] not null constraint role_requests_roles_check check (roles <@ app.roles_of(organisation_kind)),
  asked_by uuid not null references accounts,
  expires_at timestamptz not null
);

-- Who made the code (null: the operator, by a command), and whether a second person has to confirm it first.
alter table enrolments add made_by uuid references accounts, add needs_second boolean not null default false,
  add confirmed_by uuid references accounts;

call app.guard(array['account_controls', 'role_requests']::regclass[]);
