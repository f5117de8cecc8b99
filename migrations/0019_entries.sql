-- The audit log: one entry for every look, every change and every refusal. Ids, codes and keyed hashes, nothing personal.
-- `content` is the entry, kept to the byte; the columns beside it are what it is found by.
create table entries (
  id uuid primary key,
  at timestamptz not null,
  operation text not null,
  outcome text not null, -- done, or the name of the problem
  account_id uuid,
  organisation_id uuid,
  case_ids uuid[] not null, -- seen, changed or asked for
  content bytea not null
);
create index on entries (account_id, id);
create index on entries (organisation_id, id);
create index on entries (outcome, id) where outcome <> 'done';
create index on entries using gin (case_ids);

call app.guard(array['entries'::regclass]);
revoke update on entries from definer;
grant insert on entries to app;
-- Each for themselves: nobody makes an entry in somebody else's name.
create policy written on entries for insert to app with check (
  account_id is not distinct from (select app.account()) and organisation_id is not distinct from (select app.org()));
create trigger keep_history before update or delete on entries for each row execute function app.keep_history();
create trigger keep_all_history before truncate on entries for each statement execute function app.keep_history();

-- The entry that this transaction will have: its id is told when it begins.
create function app.entry() returns uuid language sql stable return nullif(current_setting('app.entry', true), '')::uuid;
grant execute on function app.entry() to app, definer;

-- A change without an entry fails at its commit.
alter table case_events add column entry_id uuid default app.entry() references entries deferrable initially deferred;
alter table case_events add constraint case_events_entry check (entry_id is not null) not valid; -- older ones have none

-- The last statement of a transaction: what was done, to which cases, in which zones, and by which grants they stood open.
create function app.write_entry(p_operation text, p_said jsonb) returns void language plpgsql as $$
declare
  at timestamptz := clock_timestamp(); actor jsonb := app.actor();
  cases uuid[] := array(select jsonb_array_elements_text(p_said -> 'cases'));
  opened zone[] := (select array_agg(z) from jsonb_array_elements_text(p_said -> 'zones') z);
begin
  insert into entries (id, at, operation, outcome, account_id, organisation_id, case_ids, content)
  values (app.entry(), at, p_operation, 'done', (actor ->> 'account')::uuid, (actor ->> 'organisation')::uuid, cases,
    convert_to((jsonb_strip_nulls(jsonb_build_object('id', app.entry(), 'at', app.rfc3339(at), 'operation', p_operation, 'outcome', 'done',
      'account', actor -> 'account', 'organisation', actor -> 'organisation', 'session', actor -> 'session', 'roles', actor -> 'roles',
      'grants', (select jsonb_agg(g.id order by g.id) from open_grants g
        where g.case_id = any (cases) and (opened is null or g.zones && opened)))) || p_said)::text, 'UTF8'));
end $$;

-- What nobody asked the API for: the service starts or stops, its operator does something by hand.
create function app.tell(p_operation text, p_said jsonb default '{}') returns void language plpgsql as $$
begin
  perform set_config('app.entry', uuidv7()::text, true);
  perform app.write_entry(p_operation, '{"cases": []}' || p_said);
end $$;

-- What was refused, in a transaction of its own: the other one left nothing behind. Whoever had signed in is named,
-- whether or not their session still holds.
create function app.write_refusal(p_session uuid, p_operation text, p_outcome text, p_said jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into public.entries (id, at, operation, outcome, account_id, organisation_id, case_ids, content)
  select app.entry(), e.at, p_operation, p_outcome, a.id, a.organisation_id, array(select jsonb_array_elements_text(p_said -> 'cases')::uuid),
    convert_to((jsonb_strip_nulls(jsonb_build_object('id', app.entry(), 'at', app.rfc3339(e.at), 'operation', p_operation,
      'outcome', p_outcome, 'account', a.id, 'organisation', a.organisation_id, 'session', s.id, 'roles', to_jsonb(a.roles))) || p_said)::text, 'UTF8')
  from (select clock_timestamp() as at) e left join public.sessions s on s.id = p_session left join public.accounts a on a.id = s.account_id
$$;

-- The session and account of a refresh token used for the first time; without a session when it was used before, which
-- ends the session; nothing when it is unknown or over.
grant create on schema app to definer;
set local role definer;
create or replace function app.refresh_session(p_hash bytea, p_next_hash bytea) returns table (session uuid, account uuid)
language plpgsql security definer set search_path = '' as $$
declare token public.refresh_tokens;
begin
  select * into token from public.refresh_tokens where hash = p_hash for update;
  if token.used_at is not null then
    update public.sessions set revoked_at = app.now() where id = token.session_id and revoked_at is null;
    return query select null::uuid, s.account_id from public.sessions s where s.id = token.session_id;
    return;
  end if;
  return query select s.id, s.account_id from public.sessions s join public.accounts a on a.id = s.account_id
    join public.organisations o on o.id = a.organisation_id
    where s.id = token.session_id and s.revoked_at is null and s.ends_at > app.now() and a.status = 'active' and o.status = 'active';
  if found then
    update public.refresh_tokens set used_at = app.now() where hash = p_hash;
    insert into public.refresh_tokens (hash, session_id) values (p_next_hash, token.session_id);
  end if;
end $$;
reset role;
revoke create on schema app from definer;

-- The entries that an auditor asks for: the newest first.
create function app.read_entries(p_account uuid, p_organisation uuid, p_case uuid, p_operations text[], p_outcomes text[],
  p_from timestamptz, p_to timestamptz, p_before uuid, p_limit int) returns setof jsonb
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  if not app.has_role('auditor') then perform app.refuse('forbidden'); end if;
  return query select convert_from(e.content, 'UTF8')::jsonb from public.entries e
    where (p_account is null or e.account_id = p_account) and (p_organisation is null or e.organisation_id = p_organisation)
      and (p_case is null or e.case_ids @> array[p_case]) and (p_operations is null or e.operation = any (p_operations))
      and (p_outcomes is null or e.outcome = any (p_outcomes)) and (p_from is null or e.at >= p_from) and (p_to is null or e.at < p_to)
      and (p_before is null or e.id < p_before)
    order by e.id desc limit p_limit;
end $$;

-- Who looked at a case, for its owner: of other organisations their name and the roles, of the own one also the account.
create function app.access_log(p_case uuid, p_before uuid, p_limit int) returns table (
  id uuid, at text, operation text, organisation jsonb, roles jsonb, account uuid, zones jsonb, grants jsonb)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  if not exists (select from public.cases c where c.id = p_case and c.owner_id = app.org()) or not app.reaches(p_case) then
    perform app.refuse('not-found');
  end if;
  return query select e.id, c ->> 'at', e.operation,
      jsonb_build_object('id', o.id, 'name', o.name, 'kind', o.kind), c -> 'roles',
      case when e.organisation_id = app.org() then e.account_id end, coalesce(c -> 'zones', '[]'),
      coalesce((select jsonb_agg(jsonb_build_object('id', g.id, 'purpose', g.purpose, 'basis', g.basis) order by g.id) from public.grants g
        where g.case_id = p_case and c -> 'grants' ? g.id::text), '[]')
    from public.entries e join public.organisations o on o.id = e.organisation_id,
      lateral (select convert_from(e.content, 'UTF8')::jsonb as c) content
    where e.case_ids @> array[p_case] and (p_before is null or e.id < p_before)
      -- Who asked in vain saw nothing, and is told to nobody but the auditors.
      and e.outcome = 'done'
    order by e.id desc limit p_limit;
end $$;

grant execute on function app.write_entry(text, jsonb), app.tell(text, jsonb), app.write_refusal(uuid, text, text, jsonb), app.access_log(uuid, uuid, int),
  app.read_entries(uuid, uuid, uuid, text[], text[], timestamptz, timestamptz, uuid, int) to app;
call app.define(array[
  'app.write_refusal(uuid,text,text,jsonb)',
  'app.access_log(uuid,uuid,int)',
  'app.read_entries(uuid,uuid,uuid,text[],text[],timestamptz,timestamptz,uuid,int)'
]::regprocedure[]);
