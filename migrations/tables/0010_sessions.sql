-- When a refresh token was made, and from which network address it was used (a keyed hash): after a lost reply the same
-- address may use it again for a short time.
alter table refresh_tokens add made_at timestamptz not null default app.now(), add used_from bytea;

alter table terms drop constraint terms_unit_check,
  add check (unit in ('seconds', 'hours', 'days', 'working_days', 'months', 'years'));
