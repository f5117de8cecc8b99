-- The second factor of an account (TOTP). `secret` is in use; `offered` waits for its first code. Both are sealed for
-- this account. `last_step` is the time step of the last code that was used.
create table second_factors (
  account_id uuid primary key references accounts,
  secret bytea,
  offered bytea,
  last_step bigint not null default 0
);

-- Codes that replace one of the authenticator, each once. Shown once; only their keyed hashes are stored.
create table recovery_codes (
  hash bytea primary key,
  account_id uuid not null references accounts,
  used_at timestamptz
);
create index on recovery_codes (account_id);

-- The roles whose accounts must have a second factor.
alter table organisations add second_factor_roles text[] not null default '{}'
  constraint organisations_second_factor check (second_factor_roles <@ app.roles_of(kind));

call app.guard(array['recovery_codes', 'second_factors']::regclass[]);
