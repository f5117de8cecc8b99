-- What every request needs: the caller, instants, the replies to repeated requests.

-- Makes this account the caller of the transaction. Organisation and account also get settings of their own, because
-- every policy reads them.
create function app.act_as(actor jsonb) returns void language sql as $$
  select set_config('app.actor', actor::text, true), set_config('app.org', actor ->> 'organisation', true),
    set_config('app.account', actor ->> 'account', true)
$$;
grant execute on function app.act_as(jsonb) to definer;

-- The caller: session, account, organisation, its kind and parent, and roles; null if nobody has signed in. A setting
-- that was local to a finished transaction reads as '', which nullif turns into null.
create function app.actor() returns jsonb language sql stable return
  nullif(current_setting('app.actor', true), '')::jsonb;
grant execute on function app.actor() to app, definer;

-- The kind of the caller's organisation.
create function app.kind() returns text language sql stable return app.actor() ->> 'kind';
grant execute on function app.kind() to app, definer;

-- The parent of the caller's organisation: the committee of a division; null for others.
create function app.parent() returns uuid language sql stable return (app.actor() ->> 'parent')::uuid;
grant execute on function app.parent() to app, definer;

-- True if the caller has this role.
create function app.has_role(role text) returns boolean language sql stable return
  coalesce(app.actor() -> 'roles' ? role, false);
grant execute on function app.has_role(text) to app, definer;

-- Raises an error that the service turns into a problem with this name and the seconds to wait (`Retry-After`).
create function app.refuse_for(problem text, seconds int) returns void language plpgsql as $$
begin
  raise exception using errcode = 'QJ002', message = problem, detail = seconds::text;
end $$;
grant execute on function app.refuse_for(text, integer) to app, definer;

-- Formats an instant as the API writes it.
create function app.rfc3339(t timestamptz) returns text language sql stable return
  to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
grant execute on function app.rfc3339(timestamp with time zone) to app, definer;

-- The instant up to which the record is complete: the start of the oldest open transaction of the service, cut to
-- milliseconds as the API writes them. To be called in a statement before the one that reads the record.
create function app.horizon() returns timestamptz language sql volatile as $$
  select date_trunc('milliseconds', least(clock_timestamp(), min(xact_start)))
  from pg_stat_activity
  where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
$$;
grant execute on function app.horizon() to app;

-- The service compares the applied migrations with its own release when it starts.
grant select on app.migrations to app;
create policy known on app.migrations for select to app using (true);

-- Each account reads and writes the replies to its own requests.
grant select, insert, update (fingerprint, status, location, at) on idempotency to app;
create policy own on idempotency to app using (account_id = (select app.account()));
