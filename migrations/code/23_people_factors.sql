-- The second factor: the codes of an authenticator app, and the recovery codes. Only the functions of this file and
-- app.enrol read and change it; each works for the caller's own account, except app.require_factor.

-- Password hash, secrets and recovery codes of the caller, and the instant for which a code is checked, in ms.
create function app.own_factor() returns table (
  password_hash text, secret bytea, offered bytea, required boolean, recovery_codes int, instant float)
language sql stable security definer set search_path = '' as $$
  select a.password_hash, f.secret, f.offered, o.second_factor_roles && a.roles,
    (select count(*)::int from public.recovery_codes c where c.account_id = a.id and c.used_at is null),
    extract(epoch from app.now())::float * 1000
  from public.accounts a
    join public.organisations o on o.id = a.organisation_id
    left join public.second_factors f on f.account_id = a.id
  where a.id = app.account()
$$;
grant execute on function app.own_factor() to app;

-- Uses up a code of this account, which its caller has locked: a recovery code (a keyed hash), or the code of a time
-- step, which was checked against this sealed secret. Refuses a code that was used, or is older than the last one, and
-- a secret that was replaced since. Does nothing for an account without a second factor.
create function app.use_code(p_account uuid, p_secret bytea, p_step bigint, p_recovery bytea) returns void
language plpgsql as $$
begin
  if not exists (select from public.second_factors f where f.account_id = p_account and f.secret is not null) then
    return;
  elsif p_recovery is not null then
    update public.recovery_codes set used_at = app.now()
      where hash = p_recovery and account_id = p_account and used_at is null;
  elsif p_step is not null then
    update public.second_factors f set last_step = p_step
      where f.account_id = p_account and f.secret = p_secret and f.last_step < p_step;
  else perform app.refuse('second-factor-required');
  end if;
  if not found then perform app.refuse('wrong-second-factor'); end if;
end $$;
grant execute on function app.use_code(uuid, bytea, bigint, bytea) to definer;

-- Locks the caller's account. Refuses it if its password is not the one that was verified, in another transaction.
create function app.lock_verified(p_verified_hash text) returns void language plpgsql as $$
begin
  perform from public.accounts where id = app.account() and password_hash = p_verified_hash for no key update;
  if not found then perform app.refuse('wrong-credentials'); end if;
end $$;
grant execute on function app.lock_verified(text) to definer;

-- Replaces the recovery codes of the caller (keyed hashes). Refuses it without a second factor.
create function app.give_codes(p_codes bytea[]) returns void language plpgsql as $$
begin
  delete from public.recovery_codes where account_id = app.account();
  insert into public.recovery_codes (hash, account_id)
    select unnest(p_codes), f.account_id from public.second_factors f
    where f.account_id = app.account() and f.secret is not null;
  if not found then perform app.refuse('no-second-factor'); end if;
end $$;
grant execute on function app.give_codes(bytea[]) to definer;

-- Stores a sealed secret that waits for its first code, in place of an earlier one that does. The second factor that
-- the caller has stays in use until then, and a code of it is used up.
create function app.offer_factor(
  p_verified_hash text, p_offered bytea, p_secret bytea, p_step bigint, p_recovery bytea) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform app.lock_verified(p_verified_hash);
  perform app.use_code(app.account(), p_secret, p_step, p_recovery);
  insert into public.second_factors (account_id, offered) values (app.account(), p_offered)
    on conflict (account_id) do update set offered = excluded.offered;
end $$;
grant execute on function app.offer_factor(text, bytea, bytea, bigint, bytea) to app;

-- Puts the offered secret into use, of which the code of this time step was checked, and stores new recovery codes.
-- Ends all other sessions of the account: they began without it. Refuses it if another secret was offered since, or
-- none.
create function app.confirm_factor(p_verified_hash text, p_offered bytea, p_step bigint, p_codes bytea[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  -- Locked, so that a sign-in without a code at this moment ends with the other sessions.
  perform app.lock_verified(p_verified_hash);
  update public.second_factors f set secret = f.offered, offered = null, last_step = p_step
    where f.account_id = app.account() and f.offered = p_offered;
  if not found then perform app.refuse('no-second-factor'); end if;
  perform app.give_codes(p_codes);
  update public.sessions set revoked_at = app.now()
    where account_id = app.account() and id <> (app.actor() ->> 'session')::uuid and revoked_at is null;
end $$;
grant execute on function app.confirm_factor(text, bytea, bigint, bytea[]) to app;

-- Replaces the recovery codes of the caller, and uses up a code.
create function app.renew_codes(
  p_verified_hash text, p_codes bytea[], p_secret bytea, p_step bigint, p_recovery bytea) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform app.lock_verified(p_verified_hash);
  perform app.use_code(app.account(), p_secret, p_step, p_recovery);
  perform app.give_codes(p_codes);
end $$;
grant execute on function app.renew_codes(text, bytea[], bytea, bigint, bytea) to app;

-- Deletes the second factor of an account with its recovery codes.
create function app.drop_factor(p_account uuid) returns void language sql as $$
  delete from public.recovery_codes where account_id = p_account;
  delete from public.second_factors where account_id = p_account
$$;
grant execute on function app.drop_factor(uuid) to definer;

-- Deletes the caller's second factor, and uses up a code. Refuses it where the organisation requires one.
create function app.remove_factor(p_verified_hash text, p_secret bytea, p_step bigint, p_recovery bytea) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform app.lock_verified(p_verified_hash);
  if (select f.required from app.own_factor() f) then
    perform app.refuse('forbidden', 'Your organisation requires a second factor. You can replace it by another one');
  end if;
  perform app.use_code(app.account(), p_secret, p_step, p_recovery);
  perform app.drop_factor(app.account());
end $$;
grant execute on function app.remove_factor(text, bytea, bigint, bytea) to app;

-- Sets the roles of an organisation whose accounts must have a second factor. Refuses callers who do not manage its
-- accounts. From now on app.enter refuses an account that must have one and has none.
create function app.require_factor(p_organisation uuid, p_roles text[]) returns void
language plpgsql security definer set search_path = '' as $$
begin
  update public.organisations set second_factor_roles = p_roles where id = p_organisation and app.manages(id);
  if not found then perform app.refuse('not-found'); end if;
end $$;
grant execute on function app.require_factor(uuid, text[]) to app;

grant delete on recovery_codes, second_factors to definer;
