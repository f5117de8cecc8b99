-- Organisations, accounts, sessions, and what sign-in and repeated requests need.

-- A division has a parent, which is a committee; no other organisation has one.
create table organisations (
  id uuid primary key default uuidv7(),
  kind organisation_kind not null,
  parent_id uuid,
  parent_kind organisation_kind generated always as (
    case when parent_id is not null then 'committee'::organisation_kind end) stored,
  name text not null,
  short_name text not null constraint organisations_short_name unique,
  status text not null default 'active' check (status in ('active', 'closed')),
  version int not null default 1,
  unique (id, kind),
  constraint organisations_parent foreign key (parent_id, parent_kind) references organisations (id, kind),
  check ((kind = 'division') = (parent_id is not null))
);

-- The regions that a division works for.
create table coverage (
  organisation_id uuid not null references organisations,
  region_code text not null references regions,
  primary key (organisation_id, region_code)
);

-- A person who signs in. An account is `invited` until the person sets a password with an enrolment code.
create table accounts (
  id uuid primary key default uuidv7(),
  organisation_id uuid not null,
  organisation_kind organisation_kind not null,
  email text not null constraint accounts_email unique check (email = lower(email)),
  name text not null,
  roles text[] not null
    constraint accounts_roles_check check (cardinality(roles) > 0 and roles <@ app.roles_of(organisation_kind)),
  status text not null default 'invited' check (status in ('invited', 'active', 'disabled')),
  password_hash text,
  version int not null default 1,
  unique (id, organisation_id),
  foreign key (organisation_id, organisation_kind) references organisations (id, kind),
  check (status <> 'active' or password_hash is not null)
);
create index on accounts (organisation_id);

-- The code by which a person sets their own password; one per account at a time. Shown once; only its hash is stored.
create table enrolments (
  account_id uuid primary key references accounts,
  code_hash bytea not null unique,
  expires_at timestamptz not null,
  used_at timestamptz
);

create table sessions (
  id uuid primary key default uuidv7(),
  account_id uuid not null references accounts,
  started_at timestamptz not null default app.now(),
  ends_at timestamptz not null,
  revoked_at timestamptz
);
create index on sessions (account_id) where revoked_at is null;

-- The refresh tokens of a session. Each is used once: a token that is used again was stolen, and ends the session.
create table refresh_tokens (
  hash bytea primary key,
  session_id uuid not null references sessions,
  used_at timestamptz
);
create index on refresh_tokens (session_id);

-- Failed attempts to sign in, by account and by network address; the keys are keyed hashes of these.
create table guesses (
  key bytea primary key,
  failures int not null,
  last_at timestamptz not null
);

-- Status and location of the reply to each POST with an Idempotency-Key, so that a repeated request gets the same reply
-- and changes nothing.
create table idempotency (
  account_id uuid not null default app.account() references accounts,
  operation text not null,
  key text not null,
  fingerprint bytea not null,
  status int,
  location text,
  at timestamptz not null default app.now(),
  primary key (account_id, operation, key)
);

call app.guard(array['organisations', 'coverage', 'accounts', 'enrolments', 'sessions', 'refresh_tokens', 'guesses',
  'idempotency']::regclass[]);
