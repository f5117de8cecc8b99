-- What every request rests on: who is asking, what an instant looks like, what a repeated request answers.

-- Who acts in this transaction. Organisation and account stand by themselves too, because every policy asks for them.
create function app.act_as(actor jsonb) returns void language sql as $$
  select set_config('app.actor', actor::text, true), set_config('app.org', actor ->> 'organisation', true),
    set_config('app.account', actor ->> 'account', true)
$$;
grant execute on function app.act_as(jsonb) to definer;

-- A setting that was local to an ended transaction reads as '', hence nullif.
create function app.actor() returns jsonb language sql stable return nullif(current_setting('app.actor', true), '')::jsonb;
grant execute on function app.actor() to app, definer;

create function app.kind() returns text language sql stable return app.actor() ->> 'kind';
grant execute on function app.kind() to app, definer;

create function app.parent() returns uuid language sql stable return (app.actor() ->> 'parent')::uuid;
grant execute on function app.parent() to app, definer;

create function app.has_role(role text) returns boolean language sql stable return coalesce(app.actor() -> 'roles' ? role, false);
grant execute on function app.has_role(text) to app, definer;

-- An instant as the API writes it.
create function app.rfc3339(t timestamptz) returns text language sql stable return
  to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
grant execute on function app.rfc3339(timestamp with time zone) to app, definer;

-- The instant up to which the record is complete: the start of the oldest transaction of the service still open, to the
-- millisecond, as the API writes it. To be asked in a statement of its own, before the one that reads.
create function app.horizon() returns timestamptz language sql volatile as $$
  select date_trunc('milliseconds', least(clock_timestamp(), min(xact_start))) from pg_stat_activity
  where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
$$;
grant execute on function app.horizon() to app;

grant select on app.migrations to app;
create policy known on app.migrations for select to app using (true);

grant select, insert, update (fingerprint, status, location, at) on idempotency to app;
create policy own on idempotency to app using (account_id = (select app.account()));
