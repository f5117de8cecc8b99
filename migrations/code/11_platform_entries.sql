-- The audit log. Each entry is written in the transaction that it describes.

-- Refuses every change of rows that are written once. Used by the triggers of all append-only tables.
create function app.keep_history() returns trigger language plpgsql as $$
begin
  perform app.refuse('forbidden');
end $$;

-- Adds a case to the audit entry of this transaction. For functions that use a case whose id the caller does not learn.
create function app.look_at(p_case uuid) returns void language sql as $$
  select set_config('app.looked', concat_ws(',', nullif(current_setting('app.looked', true), ''), p_case), true)
$$;
grant execute on function app.look_at(uuid) to definer;

-- Marks this transaction as the repeat of a request whose reply may have been lost: it opens no case anew.
create function app.begin_repeat() returns void language sql as $$
  select set_config('app.repeats', 'true', true)
$$;
grant execute on function app.begin_repeat() to app;

-- Writes the audit entry of a successful operation, as the last statement of its transaction: the caller, the cases
-- (p_said and app.look_at), the zones, and the ids of the open grants by which the caller could see them. Every path
-- that shows a zone names it here, so here the cases that an account opens are counted: app.count_opened() refuses more
-- than an account may open in a day. A repeated request was counted the first time.
create function app.write_entry(p_operation text, p_said jsonb) returns void language plpgsql as $$
declare
  at timestamptz := clock_timestamp(); actor jsonb := app.actor();
  looked text := nullif(current_setting('app.looked', true), '');
  cases uuid[] := array(select jsonb_array_elements_text(p_said -> 'cases'));
  opened public.zone[] := array(select jsonb_array_elements_text(p_said -> 'zones'));
begin
  if looked is not null then
    cases := array(select unnest(cases) union select string_to_table(looked, ',')::uuid);
    p_said := p_said || jsonb_build_object('cases', cases);
  end if;
  if opened <> '{}' and current_setting('app.repeats', true) is distinct from 'true' then
    perform app.count_opened(cases);
  end if;
  insert into public.entries (id, at, operation, outcome, account_id, organisation_id, case_ids, content)
  values (app.entry(), at, p_operation, 'done', (actor ->> 'account')::uuid, (actor ->> 'organisation')::uuid, cases,
    convert_to((jsonb_strip_nulls(jsonb_build_object('id', app.entry(), 'at', app.rfc3339(at),
      'operation', p_operation, 'outcome', 'done', 'account', actor -> 'account',
      'organisation', actor -> 'organisation', 'session', actor -> 'session', 'roles', actor -> 'roles',
      'grants', (
        select jsonb_agg(g.id order by g.id) from public.open_grants g
        where g.case_id = any (cases) and (opened = '{}' or g.zones && opened)))) || p_said)::text, 'UTF8'));
end $$;
grant execute on function app.write_entry(text, jsonb) to app, definer;

-- Writes an entry for what no request asked for: a start or stop of the service, a command of its operator, an expired
-- offer.
create function app.write_own_entry(p_operation text, p_said jsonb default '{}') returns void language plpgsql as $$
begin
  perform set_config('app.entry', uuidv7()::text, true);
  perform app.write_entry(p_operation, '{"cases": []}' || p_said);
end $$;
grant execute on function app.write_own_entry(text, jsonb) to app, definer;

-- Writes the entry of a refused request, in a transaction of its own, because the refused one was rolled back. The
-- account of the session is recorded even if the session has ended.
create function app.write_refusal(p_session uuid, p_operation text, p_outcome text, p_said jsonb) returns void
language sql security definer set search_path = '' as $$
  insert into public.entries (id, at, operation, outcome, account_id, organisation_id, case_ids, content)
  select app.entry(), e.at, p_operation, p_outcome, a.id, a.organisation_id,
    array(select jsonb_array_elements_text(p_said -> 'cases')::uuid),
    convert_to((jsonb_strip_nulls(jsonb_build_object('id', app.entry(), 'at', app.rfc3339(e.at),
      'operation', p_operation, 'outcome', p_outcome, 'account', a.id, 'organisation', a.organisation_id,
      'session', s.id, 'roles', to_jsonb(a.roles))) || p_said)::text, 'UTF8')
  from (select clock_timestamp() as at) e
    left join public.sessions s on s.id = p_session
    left join public.accounts a on a.id = s.account_id
$$;
grant execute on function app.write_refusal(uuid, text, text, jsonb) to app;

-- Entries are inserted for the caller only, never changed or deleted, and read by auditors through app.read_entries().
grant insert on entries to app;
revoke update on entries from definer;
create policy written on entries for insert to app with check (
  account_id is not distinct from (select app.account()) and organisation_id is not distinct from (select app.org()));
create trigger keep_history before update or delete on entries for each row execute function app.keep_history();
create trigger keep_all_history before truncate on entries for each statement execute function app.keep_history();
