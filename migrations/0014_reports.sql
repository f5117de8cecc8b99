-- The instant up to which the record is complete: the start of the oldest transaction of the service still open.
-- To be asked in a statement of its own, before the one that reads.
create function app.horizon() returns timestamptz language sql volatile as $$
  select least(clock_timestamp(), min(xact_start)) from pg_stat_activity
  where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
$$;
grant execute on function app.horizon() to app;
