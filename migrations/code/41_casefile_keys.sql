-- The keys that open sealed content.

-- The id of the key that content was sealed with: its first 16 bytes.
create function app.key_of(content bytea) returns uuid language sql immutable return
  encode(substr(content, 1, 16), 'hex')::uuid;
grant execute on function app.key_of(bytea) to definer;

-- The facts of events and proposals by which a person can be found: keyed hashes, which an erasure removes.
create function app.match_keys() returns text[] language sql immutable return
  '{externalHmac,numberHmac,iinHmac}'::text[];
grant execute on function app.match_keys() to definer;

-- Sealed content with its wrapped key (base64) and the epoch that opens the key. Null if the key was erased.
create function app.sealed(content bytea) returns jsonb
language plpgsql stable strict security definer set search_path = '' as $$
begin
  return (
    select jsonb_build_object('content', encode(content, 'base64'),
      'key', encode(k.wrapped, 'base64'), 'epoch', k.epoch)
    from public.data_keys k where k.id = encode(substr(content, 1, 16), 'hex')::uuid);
end $$;
grant execute on function app.sealed(bytea) to app;

-- Returns the key with which the caller's organisation seals what it writes about a case, given by its id or by a
-- referral that it sends or receives; with p_file the owner gets the key of the file. Stores and returns the given key
-- if there is none. Refuses a case that the caller cannot read or that is erased, and a key of an older epoch.
create function app.own_data_key(
  p_case uuid, p_referral uuid, p_file boolean, p_id uuid, p_epoch int, p_wrapped bytea)
returns table (id uuid, epoch int, wrapped bytea) language plpgsql security definer set search_path = '' as $$
declare c public.cases; holder uuid;
begin
  select k.id into c.id from public.cases k
    where k.id = coalesce(p_case, (
      select r.case_id from public.referrals r
      where r.id = p_referral and app.org() in (r.from_id, r.to_id, r.owner_id)));
  perform pg_advisory_xact_lock_shared(7282, hashtext(c.id::text)); -- app.erase() takes the exclusive lock
  select * into c from public.cases k where k.id = c.id;
  if not (p_file and c.owner_id = app.org()) then holder := app.org(); end if;
  return query select k.id, k.epoch, k.wrapped from public.data_keys k
    where k.case_id = c.id and (k.organisation_id = holder or holder is null and k.organisation_id is null)
    order by k.id desc limit 1;
  if found then return; end if;
  if c.id is null or p_referral is null and not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if c.erased_at is not null then perform app.refuse('file-erased'); end if;
  -- A process that does not have the newest epoch yet must not wrap a key by an epoch that may be destroyed.
  if p_epoch < (select max(k.epoch) from public.data_keys k) then perform app.refuse('unavailable'); end if;
  insert into public.data_keys values (p_id, c.id, holder, p_epoch, p_wrapped);
  return query select p_id, p_epoch, p_wrapped;
end $$;
grant execute on function app.own_data_key(uuid, uuid, boolean, uuid, integer, bytea) to app;

-- A key of the newest epoch. The service opens it at its start, and refuses to start with another database's key file.
create function app.newest_data_key() returns table (id uuid, epoch int, wrapped bytea)
language sql stable security definer set search_path = '' as $$
  select k.id, k.epoch, k.wrapped from public.data_keys k order by k.epoch desc limit 1
$$;
grant execute on function app.newest_data_key() to app;

-- No role reads keys directly; app.erase() deletes them.
grant delete on data_keys to definer;
