-- What a POST with an Idempotency-Key answered, so that a second one answers the same and does nothing.
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
call app.guard(array['idempotency'::regclass]);
grant select, insert, update (fingerprint, status, location, at) on idempotency to app;
create policy own on idempotency to app using (account_id = (select app.account()));
