-- What a person agreed to share: given to the recipient, open from then on or from the acceptance of its referral, closed once.

-- A refusal that points at the fault in what was sent: a JSON pointer within it.
create function app.refuse(problem text, detail text, pointer text) returns void language plpgsql as $$
begin
  raise exception using errcode = 'QJ001', message = problem, detail = detail, hint = pointer;
end $$;
-- The instant at which a day is over.
create function app.end_of(day date) returns timestamptz language sql stable return
  (day + 1)::timestamp at time zone (select time_zone from public.installation);
grant execute on function app.refuse(text, text, text), app.end_of(date) to app, definer;

-- The rule of each purpose: who may get it, whether a child without a representative may give it, whether it has to name a
-- State, and the law by which an authority that handles a case sees its identity without consent.
create table purposes (
  purpose purpose primary key,
  recipients organisation_kind[] not null,
  without_representative boolean not null,
  names_states boolean not null,
  legal_basis text,
  legal_zones zone[] not null default '{}', -- what the handler and its committee see by that law
  source text not null,
  verified boolean not null
);
-- What is read to the person before they agree, and stands on their receipt: by version of the form and language.
create table consent_forms (
  version text not null,
  language text not null,
  part text not null,
  text text not null,
  source text not null,
  verified boolean not null,
  primary key (version, language, part)
);
call app.guard(array['purposes', 'consent_forms']::regclass[]);
grant select on purposes, consent_forms to app;
create policy public_knowledge on purposes for select to app using (true);
create policy public_knowledge on consent_forms for select to app using (true);

alter table grants
  add column giver_id uuid references organisations, -- the owner, or whoever gives onward what was given to it
  add column parent_id uuid references grants, -- the grant that it is given onward from
  add column onward boolean not null default false,
  add column states text[] not null default '{}', -- to which it may be made known across the border
  add column publication boolean not null default false,
  add column given_at timestamptz not null default app.now(),
  add column confirmed_until timestamptz, -- of vital interest: until when, once a second person has confirmed it
  add column confirmed_at timestamptz, add column confirmed_by uuid references accounts,
  add column closed_by uuid references accounts,
  add column acknowledged_at timestamptz, add column acknowledged_by uuid references accounts,
  add column version int not null default 1,
  add check ((basis = 'vital_interest') = (confirmed_until is not null)),
  add check (confirmed_by <> given_by),
  add check (acknowledged_at is null or closed_reason = 'revoked');
update grants set giver_id = owner_id, given_at = opened_at;
alter table grants alter column giver_id set not null;
create index on grants (giver_id, id);
create index on grants (recipient_id, id);
create index on grants (parent_id) where parent_id is not null;
create or replace view open_grants with (security_invoker) as
  select * from grants where recipient_id = (select app.org()) and closed_at is null
    and opened_at <= app.now() and valid_until > app.now();

-- What was typed when it was given and when it was closed: names of those who were there, reasons.
create table grant_texts (
  grant_id uuid not null references grants,
  occasion text not null check (occasion in ('given', 'closed')),
  organisation_id uuid not null references organisations,
  content jsonb not null,
  primary key (grant_id, occasion)
);
call app.guard(array['grant_texts'::regclass]);
grant select on grant_texts to app;
create trigger keep_history before update or delete on grant_texts for each row execute function app.keep_history();

-- Who was offered a case does not learn of it; whoever gave onward does so as long as they reach it.
drop policy seen on grants;
create policy seen on grants for select to app using (
  owner_id = (select app.org()) or recipient_id = (select app.org()) and opened_at is not null
  or giver_id = (select app.org()) and (select true from case_access a where a.case_id = grants.case_id limit 1));
create policy seen on grant_texts for select to app using (
  organisation_id = (select app.org()) and exists (select from grants g where g.id = grant_id));

-- Where a grant stands by the clock.
create function app.standing(g grants) returns text language sql stable return case
  when g.closed_at is not null then 'closed' when g.valid_until <= app.now() then 'expired' when g.opened_at is null then 'offered' else 'open' end;
grant execute on function app.standing(grants) to app, definer;

-- Gives a grant, if the caller may: the owner of the case, or whoever holds one that reaches as far and may be given onward.
-- `given` says what is shared, in valid_until by its last day; `born` the latest day on which the person may have been born, as far as the caller knows it.
-- Open at once, unless it waits for the acceptance of its referral. `place`: where it stands in what was sent.
create function app.give_grant(given public.grants, typed jsonb, born date, at_once boolean, place text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  c public.cases; recipient public.organisations; rule public.purposes; held public.grants;
  instant timestamptz := app.now(); vital boolean := given.basis = 'vital_interest';
begin
  select * into c from public.cases where id = given.case_id for update;
  if c.id is null or not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if c.state in ('withdrawn', 'merged') then perform app.refuse('action-not-allowed'); end if;
  given.valid_until := app.end_of(given.valid_until::date);
  if c.owner_id <> app.org() then
    select * into held from public.grants g where g.case_id = c.id and g.recipient_id = app.org() and app.standing(g) = 'open'
      and g.onward and g.basis = 'consent' and g.purpose = given.purpose and g.zones @> given.zones and g.states @> given.states
      and g.publication >= coalesce(given.publication, false) and g.valid_until >= given.valid_until
      order by g.valid_until desc limit 1;
    if held.id is null or vital then
      perform app.refuse('forbidden', 'Only the owner of the case gives this, or whoever holds a grant for it that may be given onward');
    end if;
    given.method := held.method; given.language := held.language; given.form_version := held.form_version;
    given.representative := held.representative;
  end if;
  select * into rule from public.purposes where purpose = given.purpose;
  select * into recipient from public.organisations where id = given.recipient_id and status = 'active' and id not in (app.org(), c.owner_id);
  if not coalesce(recipient.kind = any (rule.recipients), false) then
    perform app.refuse('invalid-request', 'Not an organisation that this purpose is for', place || '/to');
  end if;
  if rule.names_states and coalesce(given.states, '{}') = '{}' then perform app.refuse('invalid-request', 'This purpose names a State', place || '/states'); end if;
  if given.representative = 'none_yet' and not rule.without_representative then
    perform app.refuse('invalid-request', 'Not for this purpose without a representative', place || '/basis/representative');
  elsif given.representative is null and exists (select from public.zone_versions z where z.case_id = c.id and z.zone = 'identity'
      and z.version = app.identity_version(c.id) and make_date(z.birth_year, 1, 1) + app.term('majority') > app.today()) then
    perform app.refuse('invalid-request', 'Somebody speaks for a child', place || '/basis/representative');
  end if;
  if given.representative is not null then
    given.valid_until := least(given.valid_until, app.end_of((born + app.term('majority') + app.term('consent_after_majority'))::date));
  end if;
  if vital then
    if not app.has_role('supervisor') then perform app.refuse('forbidden', 'A supervisor gives this'); end if;
    given.confirmed_until := least(given.valid_until, instant + app.term('vital_interest_grant'));
    given.valid_until := least(given.confirmed_until, instant + app.term('vital_interest_confirmation'));
  elsif given.basis is distinct from 'consent' or num_nulls(given.method, given.language, given.form_version) > 0 then
    perform app.refuse('invalid-request', 'By consent, of which is known how, in which language and by which form it was given', place || '/basis');
  elsif not exists (select from public.consent_forms f where f.version = given.form_version) then
    perform app.refuse('invalid-request', 'No form of this version', place || '/basis/formVersion');
  end if;
  if not coalesce(given.valid_until > instant and given.valid_until < 'infinity', false) then
    perform app.refuse('invalid-request', 'It ends one day, and not before it begins', place || '/validUntil');
  end if;
  insert into public.grants (id, case_id, owner_id, giver_id, recipient_id, purpose, zones, basis, method, language, form_version, representative,
      parent_id, onward, states, publication, opened_at, valid_until, confirmed_until, given_by)
    values (given.id, c.id, c.owner_id, app.org(), recipient.id, given.purpose, given.zones, given.basis, given.method, given.language,
      given.form_version, given.representative, held.id, coalesce(given.onward, false), coalesce(given.states, '{}'),
      coalesce(given.publication, false), case when at_once then instant end, given.valid_until, given.confirmed_until, app.account());
  if typed <> '{}' then insert into public.grant_texts values (given.id, 'given', app.org(), typed); end if;
  if vital then
    perform app.make_task('confirm_vital_interest', c.owner_id, c.id, given.id, null, (given.valid_until at time zone
      (select i.time_zone from public.installation i))::date);
  end if;
end $$;

-- Closes grants, and what was given onward from them, and tells which. Those that are over stay as they are: whoever had one learns nothing
-- of what happens to the case afterwards.
create function app.close_grants(p_grants uuid[], p_reason text) returns setof public.grants language sql security definer set search_path = '' as $$
  select app.finish_tasks('confirm_vital_interest', id, null) from unnest(p_grants) id;
  with recursive falling(id) as (
    select unnest(p_grants) union select g.id from public.grants g join falling f on g.parent_id = f.id)
  update public.grants set closed_at = app.now(), closed_reason = p_reason, closed_by = app.account(), version = version + 1
    where id in (select id from falling) and closed_at is null and (opened_at is null or valid_until > app.now())
  returning *
$$;

-- A grant that the caller may do something about, in the version that they have read.
create function app.grant_of(p_grant uuid, p_version int) returns public.grants language plpgsql security definer set search_path = '' as $$
declare g public.grants;
begin
  select * into g from public.grants where id = p_grant for update;
  if g.id is null or not (g.owner_id = app.org() or g.recipient_id = app.org() and g.opened_at is not null
      or g.giver_id = app.org() and app.reaches(g.case_id)) then
    perform app.refuse('not-found');
  end if;
  if g.version <> p_version then perform app.refuse('precondition-failed'); end if;
  return g;
end $$;

-- The person takes back what they agreed to: at once, also what was given onward from it. Whoever had it is told, and
-- acknowledges. An offer that waits with it is recalled.
create function app.revoke_grant(p_grant uuid, p_version int, p_typed jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare g public.grants := app.grant_of(p_grant, p_version); told record;
begin
  if app.org() not in (g.owner_id, g.giver_id) then perform app.refuse('forbidden', 'Whoever gave it revokes it'); end if;
  if g.basis = 'statute' or g.recipient_id = g.owner_id then
    perform app.refuse('grant-not-revocable');
  elsif app.standing(g) in ('closed', 'expired') then
    perform app.refuse('grant-over');
  end if;
  if p_typed <> '{}' then insert into public.grant_texts values (g.id, 'closed', app.org(), p_typed); end if;
  if app.standing(g) = 'offered' then
    perform app.settle_referral(r, 'recall', null, null) from public.referrals r where r.grant_id = g.id and r.state = 'offered';
  end if;
  for told in select * from app.close_grants(array[g.id], 'revoked') where opened_at is not null loop
    perform app.make_task('acknowledge_revocation', told.recipient_id, null, told.id, null, app.term_end(app.today(), 'revocation_acknowledgement'));
  end loop;
end $$;

-- The recipient says that it has seen the revocation.
create function app.acknowledge_grant(p_grant uuid, p_version int) returns void language plpgsql security definer set search_path = '' as $$
declare g public.grants := app.grant_of(p_grant, p_version);
begin
  if g.recipient_id <> app.org() then perform app.refuse('forbidden', 'Its recipient acknowledges a revocation'); end if;
  if g.closed_reason is distinct from 'revoked' or g.acknowledged_at is not null then perform app.refuse('grant-over'); end if;
  update public.grants set acknowledged_at = app.now(), acknowledged_by = app.account(), version = version + 1 where id = g.id;
  perform app.finish_tasks('acknowledge_revocation', g.id, null);
end $$;

-- A second person of the owner confirms that it was a matter of life.
create function app.confirm_grant(p_grant uuid, p_version int) returns void language plpgsql security definer set search_path = '' as $$
declare g public.grants := app.grant_of(p_grant, p_version);
begin
  if g.owner_id <> app.org() then perform app.refuse('forbidden', 'Somebody of the owner confirms it'); end if;
  if g.basis <> 'vital_interest' or g.confirmed_at is not null or app.standing(g) <> 'open' then perform app.refuse('grant-over'); end if;
  if g.given_by = app.account() then perform app.refuse('same-person'); end if;
  update public.grants set confirmed_at = app.now(), confirmed_by = app.account(), valid_until = confirmed_until, version = version + 1
    where id = g.id;
  perform app.finish_tasks('confirm_vital_interest', g.id, null);
end $$;

grant execute on function app.give_grant(grants, jsonb, date, boolean, text), app.close_grants(uuid[], text), app.grant_of(uuid, int) to definer;
grant execute on function app.give_grant(grants, jsonb, date, boolean, text), app.revoke_grant(uuid, int, jsonb), app.acknowledge_grant(uuid, int),
  app.confirm_grant(uuid, int) to app;
call app.define(array[
  'app.give_grant(grants,jsonb,date,boolean,text)',
  'app.close_grants(uuid[],text)',
  'app.grant_of(uuid,int)',
  'app.revoke_grant(uuid,int,jsonb)',
  'app.acknowledge_grant(uuid,int)',
  'app.confirm_grant(uuid,int)'
]::regprocedure[]);
