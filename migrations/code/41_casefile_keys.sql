-- The keys that open what is sealed.

-- The id of the key that something was sealed with: it stands before it.
create function app.key_of(content bytea) returns uuid language sql immutable return encode(substr(content, 1, 16), 'hex')::uuid;
grant execute on function app.key_of(bytea) to definer;

-- What an event says that the person is found by: keyed hashes.
create function app.match_keys() returns text[] language sql immutable return '{externalHmac,numberHmac,iinHmac}'::text[];
grant execute on function app.match_keys() to definer;

-- Something sealed, with what opens it together with the key file; base64. Of what was erased there is no key any more.
create function app.sealed(content bytea) returns jsonb language plpgsql stable strict security definer set search_path = '' as $$
begin
  return (select jsonb_build_object('content', encode(content, 'base64'), 'key', encode(k.wrapped, 'base64'), 'epoch', k.epoch)
    from public.data_keys k where k.id = encode(substr(content, 1, 16), 'hex')::uuid);
end $$;
grant execute on function app.sealed(bytea) to app;

-- The caller's key for a case that they reach, or for that of a referral which they send or receive: the one that is kept,
-- or else this one, kept from now on.
create function app.own_data_key(p_case uuid, p_referral uuid, p_file boolean, p_id uuid, p_epoch int, p_wrapped bytea)
returns table (id uuid, epoch int, wrapped bytea) language plpgsql security definer set search_path = '' as $$
declare c public.cases; holder uuid;
begin
  select k.id into c.id from public.cases k where k.id = coalesce(p_case, (
    select r.case_id from public.referrals r where r.id = p_referral and app.org() in (r.from_id, r.to_id, r.owner_id)));
  perform pg_advisory_xact_lock_shared(7282, hashtext(c.id::text));
  select * into c from public.cases k where k.id = c.id;
  if not (p_file and c.owner_id = app.org()) then holder := app.org(); end if;
  return query select k.id, k.epoch, k.wrapped from public.data_keys k
    where k.case_id = c.id and (k.organisation_id = holder or holder is null and k.organisation_id is null) order by k.id desc limit 1;
  if found then return; end if;
  if c.id is null or p_referral is null and not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if c.erased_at is not null then perform app.refuse('file-erased'); end if;
  -- Whoever has not heard of the newest epoch yet must not wrap by one that may be destroyed.
  if p_epoch < (select max(k.epoch) from public.data_keys k) then perform app.refuse('unavailable'); end if;
  insert into public.data_keys values (p_id, c.id, holder, p_epoch, p_wrapped);
  return query select p_id, p_epoch, p_wrapped;
end $$;
grant execute on function app.own_data_key(uuid, uuid, boolean, uuid, integer, bytea) to app;

-- One that the key file of this database opens: nobody starts with that of another one.
create function app.newest_data_key() returns table (id uuid, epoch int, wrapped bytea)
language sql stable security definer set search_path = '' as $$
  select k.id, k.epoch, k.wrapped from public.data_keys k order by k.epoch desc limit 1
$$;
grant execute on function app.newest_data_key() to app;

grant delete on data_keys to definer;
