-- Who is asking, what time it is, and the rule that every table stands behind row level security.
revoke all on schema public from public;
grant usage on schema public, app to app, definer;
alter default privileges revoke execute on functions from public;

-- The one clock. Tests replace this one function. The statement's time and not the transaction's: a request that waited
-- for another one must see the grant which that one opened after it had begun.
create function app.now() returns timestamptz language sql stable return statement_timestamp();

-- Who acts in this transaction. Organisation and account stand by themselves too, because every policy asks for them.
create function app.act_as(actor jsonb) returns void language sql as $$
  select set_config('app.actor', actor::text, true), set_config('app.org', actor ->> 'organisation', true),
    set_config('app.account', actor ->> 'account', true)
$$;
-- A setting that was local to an ended transaction reads as '', hence nullif.
create function app.actor() returns jsonb language sql stable return nullif(current_setting('app.actor', true), '')::jsonb;
create function app.account() returns uuid language sql stable return nullif(current_setting('app.account', true), '')::uuid;
create function app.org() returns uuid language sql stable return nullif(current_setting('app.org', true), '')::uuid;
create function app.kind() returns text language sql stable return app.actor() ->> 'kind';
create function app.parent() returns uuid language sql stable return (app.actor() ->> 'parent')::uuid;
create function app.has_role(role text) returns boolean language sql stable return coalesce(app.actor() -> 'roles' ? role, false);

grant execute on function app.now(), app.actor(), app.account(), app.org(), app.kind(), app.parent(), app.has_role(text) to app, definer;
grant execute on function app.act_as(jsonb) to definer;

-- A table behind the wall: closed to everybody but its owner, who migrates, and the definer's reviewed functions.
create procedure app.guard(tables regclass[]) language plpgsql as $$
declare t regclass;
begin
  foreach t in array tables loop
    execute format('alter table %s enable row level security', t);
    execute format('alter table %s force row level security', t);
    execute format('create policy owner on %s to %I using (true) with check (true)', t, current_user);
    execute format('create policy definer on %s to definer using (true) with check (true)', t);
    execute format('grant select, insert, update on %s to definer', t);
  end loop;
end $$;

-- A reviewed function that sees past the wall: it runs as the definer. Grant execute on it first.
create procedure app.define(functions regprocedure[]) language plpgsql as $$
declare f regprocedure;
begin
  grant create on schema app to definer;
  foreach f in array functions loop
    execute format('alter function %s owner to definer', f);
  end loop;
  revoke create on schema app from definer;
end $$;

call app.guard(array['app.migrations'::regclass]);
grant select on app.migrations to app;
create policy known on app.migrations for select to app using (true);

-- A refusal with a name that the service knows as a problem, and whatever the caller may be told.
create function app.refuse(problem text, detail text default null) returns void language plpgsql as $$
begin
  raise exception using errcode = 'QJ001', message = problem, detail = coalesce(detail, '');
end $$;
grant execute on function app.refuse(text, text) to app, definer;

-- An instant as the API writes it.
create function app.rfc3339(t timestamptz) returns text language sql stable return
  to_char(t at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
grant execute on function app.rfc3339(timestamptz) to app, definer;
