-- The functions that tables call, and the procedures that the migrator calls. The migrator runs this file before all
-- others whenever it or the code has changed, so each statement must be able to run again.
revoke all on schema public from public;
-- Only these roles connect, and nobody makes temporary tables: what the service holds in memory is enough.
do $$ begin
  execute format('revoke temporary, connect on database %I from public', current_database());
  execute format('grant connect on database %I to app', current_database());
end $$;
grant usage on schema public, app to app, definer;
alter default privileges revoke execute on functions from public;

-- The only clock; tests replace this one function. Returns the start of the statement, not of the transaction: a
-- request that waited for another one must see a grant that the other one opened after the waiting request had begun.
create or replace function app.now() returns timestamptz language sql stable return statement_timestamp();

-- The caller's account and organisation, or null. Each has a setting of its own, because every policy reads them. A
-- setting that was local to a finished transaction reads as '', which nullif turns into null.
create or replace function app.account() returns uuid language sql stable return
  nullif(current_setting('app.account', true), '')::uuid;
create or replace function app.org() returns uuid language sql stable return
  nullif(current_setting('app.org', true), '')::uuid;

-- The id of the audit entry that this transaction will write; it is set when the transaction begins.
create or replace function app.entry() returns uuid language sql stable return
  nullif(current_setting('app.entry', true), '')::uuid;

-- The kinds of organisation. Defined here for app.roles_of, which a constraint of accounts calls.
do $$ begin
  if to_regtype('organisation_kind') is null then
    create type organisation_kind as enum ('iom', 'committee', 'division', 'ngo', 'oversight', 'operator');
  end if;
end $$;
-- The roles that exist in an organisation of this kind. The service has the same table; a test compares the two.
create or replace function app.roles_of(kind organisation_kind) returns text[] language sql immutable return case kind
  when 'ngo' then array['caseworker', 'supervisor']
  when 'iom' then array['caseworker', 'supervisor', 'coordinator']
  when 'division' then array['officer', 'supervisor']
  when 'committee' then array['officer', 'supervisor']
  when 'oversight' then array['auditor']
  when 'operator' then array['administrator'] end;

-- Raises an error that the service turns into a problem: its name, and a detail that the caller may read.
create or replace function app.refuse(problem text, detail text default null) returns void language plpgsql as $$
begin
  raise exception using errcode = 'QJ001', message = problem, detail = coalesce(detail, '');
end $$;
-- Raises such an error with a JSON pointer to the field of the request's body that is at fault.
create or replace function app.refuse(problem text, detail text, pointer text) returns void language plpgsql as $$
begin
  raise exception using errcode = 'QJ001', message = problem, detail = detail, hint = pointer;
end $$;

grant execute on function app.now(), app.account(), app.org(), app.entry(), app.roles_of(organisation_kind),
  app.refuse(text, text), app.refuse(text, text, text) to app, definer;

-- Puts tables behind row level security: closed to every role except their owner, which runs the migrations, and
-- definer, which owns the security definer functions. Each file in tables/ calls it once for its tables.
create or replace procedure app.guard(tables regclass[]) language plpgsql as $$
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

-- Drops what code/ creates: policies (except those of app.guard), triggers, rights on tables, views, functions and
-- their own types. Raises an error if a table depends on any of it: what tables call belongs in this file.
create or replace procedure app.drop_code() language plpgsql as $$
declare
  ground text[] := '{now,account,org,entry,roles_of,refuse,guard,drop_code,own_code}';
  schemas oid[] := array['public'::regnamespace, 'app'::regnamespace];
  code oid[] := array(select oid from pg_proc where pronamespace = 'app'::regnamespace and proname <> all (ground));
  resting text; objects text[]; object text;
begin
  select string_agg(distinct refobjid::regprocedure::text, ', ') into resting
    from pg_depend
    where refclassid = 'pg_proc'::regclass and refobjid = any (code)
      and (classid in ('pg_attrdef'::regclass, 'pg_constraint'::regclass)
        or classid = 'pg_class'::regclass and (select relkind in ('r', 'i') from pg_class where oid = objid));
  if resting is not null then raise exception 'A table rests on %, which belongs into ground.sql', resting; end if;
  objects := array(
    select format('policy %I on %s', polname, polrelid::regclass) from pg_policy p join pg_class c on c.oid = polrelid
      where relnamespace = any (schemas) and polname not in ('owner', 'definer')
    union all
    select format('trigger %I on %s', tgname, tgrelid::regclass) from pg_trigger t join pg_class c on c.oid = tgrelid
      where relnamespace = any (schemas) and not tgisinternal
    union all
    select format('view %s', oid::regclass) from pg_class where relnamespace = any (schemas) and relkind = 'v'
    union all
    select format('routine %s', oid::regprocedure) from pg_proc where oid = any (code) and prokind <> 'a'
    union all
    select format('aggregate %s', oid::regprocedure) from pg_proc where oid = any (code) and prokind = 'a'
    union all
    select format('type %s', reltype::regtype) from pg_class where relnamespace = any (schemas) and relkind = 'c');
  foreach object in array objects loop
    -- `if exists`, because dropping a view with cascade also drops the functions that return its rows.
    execute replace(format('drop %s', object), split_part(object, ' ', 1), split_part(object, ' ', 1) || ' if exists')
      || ' cascade';
  end loop;
  revoke all on all tables in schema public, app from app, definer;
  grant select, insert, update on all tables in schema public, app to definer;
end $$;

-- Makes definer the owner of each security definer function, which sees past row level security, and raises an error if
-- one has no search path of its own. The migrator calls it after code/.
create or replace procedure app.own_code() language plpgsql as $$
declare f regprocedure;
begin
  grant create on schema app to definer;
  for f in select oid from pg_proc where pronamespace = 'app'::regnamespace and prosecdef loop
    if not exists (select from pg_proc where oid = f and 'search_path=""' = any (proconfig)) then
      raise exception '% has no search path of its own', f;
    end if;
    execute format('alter function %s owner to definer', f);
  end loop;
  revoke create on schema app from definer;
end $$;
