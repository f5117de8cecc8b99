-- Sessions and passwords: how a caller is admitted, and how a session begins and ends.

-- Makes the actor the caller of this transaction and returns it. Refuses one without any of the offices (role@kind).
create function app.admit(actor jsonb, p_offices text[]) returns jsonb language plpgsql as $$
begin
  if not exists (select from jsonb_array_elements_text(actor -> 'roles') r
    where r || '@' || (actor ->> 'kind') = any (p_offices)) then
    perform app.refuse('forbidden');
  end if;
  perform app.act_as(actor);
  return actor;
end $$;
grant execute on function app.admit(jsonb, text[]) to definer;

-- Makes the account of a session the caller of this transaction, and returns it. Refuses a session that has ended, an
-- account or organisation that is not active, and an account without one of the offices; also an account that must have
-- a second factor and has none, unless the operation concerns nothing but the account itself (p_self). Runs in the
-- first flight of every transaction, and raises an error so that no statement sent behind it can run.
create function app.enter(p_session uuid, p_offices text[], p_self boolean default false) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare actor jsonb; required boolean;
begin
  select jsonb_build_object('session', s.id, 'account', a.id, 'organisation', o.id, 'kind', o.kind,
      'parent', o.parent_id, 'roles', a.roles), o.second_factor_roles && a.roles into actor, required
    from public.sessions s
      join public.accounts a on a.id = s.account_id
      join public.organisations o on o.id = a.organisation_id
    where s.id = p_session and s.revoked_at is null and s.ends_at > app.now()
      and a.status = 'active' and o.status <> 'closed';
  if actor is null then perform app.refuse('unauthorized'); end if;
  if required and not p_self and not exists (
    select from public.second_factors f where f.account_id = (actor ->> 'account')::uuid and f.secret is not null) then
    perform app.refuse('second-factor-missing');
  end if;
  return app.admit(actor, p_offices);
end $$;
grant execute on function app.enter(uuid, text[], boolean) to app;

-- The account with this e-mail address, its password hash, the sealed secret of its second factor, and the instant for
-- which a code is checked, in ms; no row if it or its organisation is not active.
create function app.credentials(p_email text)
returns table (account uuid, password_hash text, secret bytea, instant float)
language sql stable security definer set search_path = '' as $$
  select a.id, a.password_hash, f.secret, extract(epoch from app.now())::float * 1000
  from public.accounts a
    join public.organisations o on o.id = a.organisation_id
    left join public.second_factors f on f.account_id = a.id
  where a.email = p_email and a.status = 'active' and o.status <> 'closed'
$$;
grant execute on function app.credentials(text) to app;

-- Starts a session with its first refresh token and returns its id. Called after the password was verified against this
-- hash, in another transaction: returns null if the account has another password by now, or is not active. Uses up a
-- code of the second factor, if the account has one (app.use_code): of two sign-ins with one code, one is refused.
create function app.start_session(
  p_account uuid, p_password_hash text, p_refresh_hash bytea, p_secret bytea, p_step bigint, p_recovery bytea)
returns uuid language plpgsql security definer set search_path = '' as $$
declare session uuid := uuidv7();
begin
  -- Locked, so that whoever disables the account or closes the organisation at this moment ends this session too.
  perform from public.accounts a join public.organisations o on o.id = a.organisation_id
    where a.id = p_account and a.password_hash = p_password_hash and a.status = 'active' and o.status <> 'closed'
    for share;
  if not found then return null; end if;
  perform app.use_code(p_account, p_secret, p_step, p_recovery);
  insert into public.sessions (id, account_id, ends_at) values (session, p_account, app.now() + app.term('session'));
  insert into public.refresh_tokens (hash, session_id) values (p_refresh_hash, session);
  return session;
end $$;
grant execute on function app.start_session(uuid, text, bytea, bytea, bigint, bytea) to app;

-- True if the session was used from another address than this one (a keyed hash) since this instant: with a successor
-- of this refresh token, or with an access token, by the audit log.
create function app.used_elsewhere(p_session uuid, p_successor bytea, p_address bytea, since timestamptz)
returns boolean language sql stable security definer set search_path = '' return
  exists (select from public.refresh_tokens n where n.hash = p_successor and n.used_from <> p_address)
  or exists (
    select from public.sessions s join public.entries e on e.account_id = s.account_id,
      lateral (select convert_from(e.content, 'UTF8')::jsonb as c) said
    -- The ids of entries have the order of time, by the database's clock as the service reads it each minute.
    where s.id = p_session and e.id > uuidv7(since - clock_timestamp() - interval '1 minute') and e.at >= since
      and c ->> 'session' = p_session::text and c ->> 'address' <> encode(p_address, 'hex'));

-- Exchanges a refresh token for the next one and returns its session and account; no row if the token is unknown. A
-- token that was used before gives the same next one again for a short time (term refresh_grace), because the reply may
-- have been lost: to the address that used it, and while the session was used from no other. Otherwise it was stolen:
-- its session ends, and the account is returned without a session. So it is for a session that has ended, and for one
-- that was not used for a long time (term session_inactivity).
create function app.refresh_session(p_hash bytea, p_next_hash bytea, p_address bytea)
returns table (session uuid, account uuid, reused boolean)
language plpgsql security definer set search_path = '' as $$
declare token public.refresh_tokens; s record; allowed boolean;
begin
  select * into token from public.refresh_tokens where hash = p_hash for update;
  if not found then return; end if;
  select k.id, k.account_id, k.revoked_at is null and k.ends_at > app.now() and a.status = 'active'
      and o.status <> 'closed' as alive into s
    from public.sessions k
      join public.accounts a on a.id = k.account_id
      join public.organisations o on o.id = a.organisation_id
    where k.id = token.session_id;
  if token.used_at is null then
    allowed := s.alive and token.made_at + app.term('session_inactivity') > app.now();
    if allowed then
      update public.refresh_tokens set used_at = app.now(), used_from = p_address where hash = p_hash;
      insert into public.refresh_tokens (hash, session_id) values (p_next_hash, s.id);
    end if;
  else
    allowed := s.alive and token.used_from = p_address and token.used_at + app.term('refresh_grace') > app.now()
      and not app.used_elsewhere(s.id, p_next_hash, p_address, token.used_at);
  end if;
  if not allowed then
    update public.sessions set revoked_at = app.now() where id = s.id and revoked_at is null;
  end if;
  return query select case when allowed then s.id end, s.account_id::uuid, token.used_at is not null;
end $$;
grant execute on function app.refresh_session(bytea, bytea, bytea) to app;

-- Counts an attempt as failed before it is made, so that parallel attempts are counted too. Returns 0 if it may be
-- made, and otherwise the seconds to wait: as many failures as the threshold cost nothing, each further one doubles the
-- wait, from one second to 15 minutes. Failures are forgotten after one day.
create function app.count_guess(p_key bytea, p_threshold text) returns int
language plpgsql security definer set search_path = '' as $$
declare
  g public.guesses; wait interval;
  free int := (select t.value from public.thresholds t where t.threshold = p_threshold);
begin
  insert into public.guesses (key, failures, last_at) values (p_key, 0, app.now()) on conflict do nothing;
  select * into g from public.guesses where key = p_key for update;
  if g.last_at < app.now() - interval '1 day' then g.failures := 0; end if;
  wait := case
    when g.failures > free then make_interval(secs => least(2 ^ least(g.failures - free - 1, 10), 900)) else '0' end;
  if wait > '0' and g.last_at + wait > app.now() then
    return ceil(extract(epoch from g.last_at + wait - app.now()));
  end if;
  update public.guesses set failures = g.failures + 1, last_at = app.now() where key = p_key;
  return 0;
end $$;
grant execute on function app.count_guess(bytea, text) to app;

-- Called after a successful attempt, which app.count_guess had counted as a failure: sets the failures of the account
-- from this address to zero, and subtracts one from those of the account and of the address.
create function app.forget_guesses(p_pair bytea, p_account bytea, p_address bytea) returns void
language sql security definer set search_path = '' as $$
  update public.guesses set failures = case key when p_pair then 0 else greatest(failures - 1, 0) end
  where key in (p_pair, p_account, p_address)
$$;
grant execute on function app.forget_guesses(bytea, bytea, bytea) to app;

-- Takes back one attempt that app.count_guess had counted: the password was right, but a code is needed too.
create function app.take_back_guess(p_keys bytea[]) returns void
language sql security definer set search_path = '' as $$
  update public.guesses set failures = greatest(failures - 1, 0) where key = any (p_keys)
$$;
grant execute on function app.take_back_guess(bytea[]) to app;

-- True if an enrolment code could be used now: looked up before the password is hashed, which is slow.
create function app.is_code(p_code_hash bytea) returns boolean
language sql stable security definer set search_path = '' return exists (
  select from public.enrolments where code_hash = p_code_hash and used_at is null and expires_at > app.now());
grant execute on function app.is_code(bytea) to app;

-- Sets the password of the account that an enrolment code belongs to, activates the account, ends its sessions, deletes
-- its second factor, and returns its id. Records that the account which made the code had control of it. Refuses a code
-- that is unknown, expired or used, one that waits for a second person, and the code of a disabled account.
create function app.enrol(p_code_hash bytea, p_password_hash text) returns uuid
language plpgsql security definer set search_path = '' as $$
declare enrolled uuid; code public.enrolments;
begin
  update public.enrolments set used_at = app.now()
    where code_hash = p_code_hash and used_at is null and expires_at > app.now()
    returning * into code;
  if code.needs_second and code.confirmed_by is null then
    perform app.refuse('code-not-valid', 'A second person has to confirm this code first');
  end if;
  update public.accounts set password_hash = p_password_hash, status = 'active', version = version + 1
    where id = code.account_id and status <> 'disabled'
    returning id into enrolled;
  if enrolled is null then perform app.refuse('code-not-valid'); end if;
  if code.made_by is not null then
    insert into public.account_controls values (enrolled, code.made_by, 'enrolment');
  end if;
  perform app.drop_factor(enrolled);
  update public.sessions set revoked_at = app.now() where account_id = enrolled and revoked_at is null;
  return enrolled;
end $$;
grant execute on function app.enrol(bytea, text) to app;

-- The password hash of the caller, who has to enter the current password to change it.
create function app.own_password() returns text language sql stable security definer set search_path = '' return
  (select password_hash from public.accounts where id = app.account());
grant execute on function app.own_password() to app;

-- Changes the caller's password, and ends all other sessions of the account. Refuses it if the current password is not
-- the one that was verified, in another transaction.
create function app.change_password(p_verified_hash text, p_password_hash text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.accounts set password_hash = p_password_hash, version = version + 1
    where id = app.account() and password_hash = p_verified_hash;
  if not found then perform app.refuse('wrong-credentials'); end if;
  update public.sessions set revoked_at = app.now()
    where account_id = app.account() and id <> (app.actor() ->> 'session')::uuid and revoked_at is null;
end $$;
grant execute on function app.change_password(text, text) to app;

-- After an account was disabled or an organisation closed: ends its sessions for good. They stay ended if it is active
-- again.
create function app.end_sessions() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update public.sessions s set revoked_at = app.now()
    from public.accounts a
    where a.id = s.account_id and new.id in (a.id, a.organisation_id) and s.revoked_at is null;
  return null;
end $$;
create trigger end_sessions after update of status on accounts for each row when (new.status = 'disabled')
  execute function app.end_sessions();
create trigger end_sessions after update of status on organisations for each row when (new.status = 'closed')
  execute function app.end_sessions();

-- Each account reads and ends its own sessions.
grant select, update (revoked_at) on sessions to app;
create policy own on sessions to app using (account_id = (select app.account()));
