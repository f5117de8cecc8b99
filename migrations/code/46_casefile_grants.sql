-- Grants: given, revoked, acknowledged, confirmed and closed.

-- These grants and all grants given onward from them.
create function app.given_onward(p_grants uuid[]) returns setof uuid
language sql stable security definer set search_path = '' as $$
  with recursive below(id) as (
    select unnest(p_grants) union select g.id from public.grants g join below b on g.parent_id = b.id)
  select id from below
$$;

-- Closes grants and all grants given onward from them, and returns those that it closed. Grants that have ended are
-- left as they are: their recipients learn nothing of what happens to the case afterwards.
create function app.close_grants(p_grants uuid[], p_reason text) returns setof public.grants
language sql security definer set search_path = '' as $$
  select app.finish_tasks(kind, id, null)
  from app.given_onward(p_grants) id, unnest('{confirm_vital_interest,renew_consent,ask_person}'::text[]) kind;
  update public.grants
  set closed_at = app.now(), closed_reason = p_reason, closed_by = app.account(), version = version + 1
  where id in (select app.given_onward(p_grants)) and closed_at is null
    and (opened_at is null or valid_until > app.now())
  returning *
$$;

-- True if the person of a case may be a child: by the latest possible birth date, or by the year of birth on file.
create function app.may_be_child(p_case uuid, born date) returns boolean
language sql stable security definer set search_path = '' return exists (
  select from public.zone_versions z
  where z.case_id = p_case and z.zone = 'identity' and z.version = app.identity_version(p_case)
    and greatest(born, make_date(z.birth_year, 1, 1)) + app.term('majority') > app.today());

-- Refuses a basis without a representative, if the person may be a child. For cases in custody: the service checks all
-- others, and does not see the identity of these.
create function app.check_representative(p_case uuid, basis jsonb) returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if basis is not null and not basis ? 'representative' and app.may_be_child(p_case, null) then
    perform app.refuse('invalid-request', 'Missing: a child needs a representative', '#/basis/representative');
  end if;
end $$;

-- Gives a grant that is open at once, or, if not at_once, when its referral is accepted. The caller must be the owner,
-- or hold a grant that covers this one and may be given onward. The last day is in given.valid_until, the sealed text
-- in typed, the latest possible birth date in born, the JSON pointer to the grant in place. By default it ends with the
-- term, given onward with the grant that it comes from, and rests on the current consent form. Refuses recipients,
-- terms and bases that the purpose does not allow. An equal grant of the same giver that is suspended, or that is open
-- and ends earlier, is renewed: it closes, and what was given onward from it rests on the new consent. Refuses a grant
-- if an equal one is open and ends no earlier. A grant in vital interest is equal to no other.
create function app.give_grant(given public.grants, typed bytea, born date, at_once boolean, place text) returns void
language plpgsql security definer set search_path = '' as $$
declare
  c public.cases; recipient public.organisations; rule public.purposes; held public.grants; equal public.grants;
  instant timestamptz := app.now(); vital boolean := given.basis = 'vital_interest';
begin
  c := app.lock_case(given.case_id);
  if c.id is null or not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if c.state in ('withdrawn', 'merged') then perform app.refuse('action-not-allowed'); end if;
  if c.in_custody and c.owner_id = app.org() then
    perform app.refuse('action-not-allowed', 'The person has to agree first that you keep the file: renew_basis');
  end if;
  given.valid_until := app.end_of(given.valid_until::date);
  if c.owner_id <> app.org() then
    select * into held from public.grants g
      where g.case_id = c.id and g.recipient_id = app.org() and app.grant_state(g) = 'open' and g.onward
        and g.basis = 'consent' and g.purpose = given.purpose and g.zones @> given.zones and g.states @> given.states
        and g.publication >= coalesce(given.publication, false)
        and (given.valid_until is null or g.valid_until >= given.valid_until)
      order by g.valid_until desc limit 1;
    if held.id is null or vital then
      perform app.refuse('forbidden',
        'Only the owner of the case gives this, or an organisation whose own grant may be given onward');
    end if;
    given.method := held.method; given.language := held.language; given.form_version := held.form_version;
    given.representative := held.representative;
  end if;
  given.valid_until := coalesce(given.valid_until,
    least(app.end_of(app.term_end(app.today(), 'grant')), held.valid_until));
  select * into rule from public.purposes where purpose = given.purpose;
  select * into recipient from public.organisations
    where id = given.recipient_id and status = 'active' and id not in (app.org(), c.owner_id);
  if not coalesce(recipient.kind = any (rule.recipients), false) then
    perform app.refuse('invalid-request', 'Expected an organisation of a kind that this purpose allows',
      place || '/to');
  end if;
  if rule.names_states and coalesce(given.states, '{}') = '{}' then
    perform app.refuse('invalid-request', 'Missing: this purpose needs at least one State', place || '/states');
  end if;
  if given.representative = 'none_yet' and not rule.without_representative then
    perform app.refuse('invalid-request', 'This purpose needs a representative',
      place || '/basis/representative');
  elsif given.representative is null and app.may_be_child(c.id, born) then
    perform app.refuse('invalid-request', 'Missing: a child needs a representative', place || '/basis/representative');
  end if;
  if given.representative is not null then
    given.valid_until := least(given.valid_until,
      app.end_of((born + app.term('majority') + app.term('consent_after_majority'))::date));
  end if;
  if given.basis = 'consent' then given.form_version := coalesce(given.form_version, app.current_form()); end if;
  if vital then
    if not app.has_role('supervisor') then
      perform app.refuse('forbidden', 'A supervisor of the owner gives a grant in vital interest');
    end if;
    given.confirmed_until := least(given.valid_until, instant + app.term('vital_interest_grant'));
    given.valid_until := least(given.confirmed_until, instant + app.term('vital_interest_confirmation'));
  elsif given.basis is distinct from 'consent'
      or num_nulls(given.method, given.language, given.form_version) > 0 then
    perform app.refuse('invalid-request',
      'Expected consent with method, language and formVersion', place || '/basis');
  elsif not exists (select from public.consent_forms f where f.version = given.form_version) then
    perform app.refuse('invalid-request', 'Expected the version of a consent form: see GET /v1/consent-forms',
      place || '/basis/formVersion');
  end if;
  if not coalesce(given.valid_until > instant and given.valid_until < 'infinity', false) then
    perform app.refuse('invalid-request', 'Expected a day from today on', place || '/validUntil');
  end if;
  select * into equal from public.grants g
    where at_once and not vital and g.case_id = c.id and g.giver_id = app.org() and g.recipient_id = recipient.id
      and (g.purpose, g.basis) = (given.purpose, given.basis)
      and (g.onward, g.publication) = (coalesce(given.onward, false), coalesce(given.publication, false))
      and g.zones @> given.zones and g.zones <@ given.zones
      and g.states @> coalesce(given.states, '{}') and g.states <@ coalesce(given.states, '{}')
      and app.grant_state(g) in ('open', 'suspended')
    order by g.valid_until desc limit 1;
  if equal.suspended_for = '{}' and equal.valid_until >= given.valid_until then
    perform app.refuse('grant-exists', format('Equal to the open grant /v1/grants/%s', equal.id), place);
  end if;
  insert into public.grants (id, case_id, owner_id, giver_id, recipient_id, purpose, zones, basis, method, language,
      form_version, representative, parent_id, onward, states, publication, opened_at, valid_until, confirmed_until,
      given_by, suspended_for)
    values (given.id, c.id, c.owner_id, app.org(), recipient.id, given.purpose, given.zones, given.basis, given.method,
      given.language, given.form_version, given.representative, held.id, coalesce(given.onward, false),
      coalesce(given.states, '{}'), coalesce(given.publication, false), case when at_once then instant end,
      given.valid_until, given.confirmed_until, app.account(),
      array_remove(coalesce(equal.suspended_for, '{}'), 'representative_missing'));
  if typed is not null then insert into public.grant_texts values (given.id, 'given', app.org(), typed); end if;
  if equal.id is not null then -- what rests on the first grant rests on its renewal
    update public.grants g
      set parent_id = case when g.parent_id = equal.id then given.id else g.parent_id end,
        (method, language, form_version, representative)
          = (given.method, given.language, given.form_version, given.representative),
        valid_until = least(g.valid_until, given.valid_until),
        suspended_for = array_remove(g.suspended_for, 'representative_missing'), version = g.version + 1
      where g.id in (select app.given_onward(array[equal.id])) and g.id <> equal.id and g.closed_at is null;
    update public.referrals set grant_id = given.id where grant_id = equal.id;
    perform app.close_grants(array[equal.id], 'renewed');
  end if;
  if vital then
    perform app.make_task('confirm_vital_interest', c.owner_id, c.id, given.id, null,
      (given.valid_until at time zone (select i.time_zone from public.installation i))::date);
  end if;
end $$;
grant execute on function app.give_grant(grants, bytea, date, boolean, text) to app;

-- True if the caller confirms this grant in vital interest for an owner that has no second person.
create function app.stands_in_for_grant(g public.grants) returns boolean
language sql stable security definer set search_path = '' return g.basis = 'vital_interest'
  and app.stands_in(g.owner_id, g.given_by, '{caseworker,officer,supervisor}', false);

-- Locks the case of a grant and the grant, and returns it, for a caller who can see it. Refuses others, and an outdated
-- version.
create function app.grant_of(p_grant uuid, p_version int) returns public.grants
language plpgsql security definer set search_path = '' as $$
declare g public.grants;
begin
  perform app.lock_case(case_id) from public.grants where id = p_grant;
  select * into g from public.grants where id = p_grant for update;
  if g.id is null or not (g.recipient_id = app.org() and g.opened_at is not null and g.basis <> 'custody'
      or app.org() in (g.owner_id, g.giver_id) and app.reaches(g.case_id) or app.stands_in_for_grant(g)) then
    perform app.refuse('not-found');
  end if;
  if g.version <> p_version then perform app.refuse('precondition-failed'); end if;
  return g;
end $$;

-- Closes a grant because the person revoked it, at once and with all grants given onward from it. Each recipient gets a
-- task to acknowledge it. The referral of a grant that is still offered is recalled. Only the owner and the giver
-- revoke, and neither a grant by statute nor the owner's own.
create function app.revoke_grant(p_grant uuid, p_version int, p_typed bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare g public.grants := app.grant_of(p_grant, p_version); told record;
begin
  if app.org() not in (g.owner_id, g.giver_id) then
    perform app.refuse('forbidden', 'The organisation that gave the grant revokes it');
  end if;
  if g.basis = 'statute' or g.recipient_id = g.owner_id then
    perform app.refuse('grant-not-revocable');
  elsif app.grant_state(g) in ('closed', 'expired') then
    perform app.refuse('grant-over');
  end if;
  if p_typed is not null then insert into public.grant_texts values (g.id, 'closed', app.org(), p_typed); end if;
  if app.grant_state(g) = 'offered' then
    perform app.settle_referral(r, 'recall', null, null)
      from public.referrals r where r.grant_id = g.id and r.state = 'offered';
  end if;
  for told in select * from app.close_grants(array[g.id], 'revoked') where opened_at is not null loop
    perform app.make_task('acknowledge_revocation', told.recipient_id, null, told.id, null,
      app.term_end(app.today(), 'revocation_acknowledgement'));
  end loop;
end $$;
grant execute on function app.revoke_grant(uuid, integer, bytea) to app;

-- Records that the recipient has seen a revocation. Refuses others, and a grant not revoked or already acknowledged.
create function app.acknowledge_grant(p_grant uuid, p_version int) returns void
language plpgsql security definer set search_path = '' as $$
declare g public.grants := app.grant_of(p_grant, p_version);
begin
  if g.recipient_id <> app.org() then
    perform app.refuse('forbidden', 'The recipient of the grant acknowledges its revocation');
  end if;
  if g.closed_reason is distinct from 'revoked' or g.acknowledged_at is not null then
    perform app.refuse('grant-over');
  end if;
  update public.grants set acknowledged_at = app.now(), acknowledged_by = app.account(), version = version + 1
    where id = g.id;
  perform app.finish_tasks('acknowledge_revocation', g.id, null);
end $$;
grant execute on function app.acknowledge_grant(uuid, integer) to app;

-- Confirms an open grant of vital interest, up to its full term. Refuses its giver, and other organisations than the
-- owner.
create function app.confirm_grant(p_grant uuid, p_version int) returns void
language plpgsql security definer set search_path = '' as $$
declare g public.grants := app.grant_of(p_grant, p_version);
begin
  if g.owner_id <> app.org() and not app.stands_in_for_grant(g) then
    perform app.refuse('forbidden', 'An account of the owner confirms it');
  end if;
  if g.basis <> 'vital_interest' or g.confirmed_at is not null or app.grant_state(g) <> 'open' then
    perform app.refuse('grant-over');
  end if;
  perform app.check_second_person(g.owner_id, g.given_by, '{caseworker,officer,supervisor}', false);
  update public.grants
    set confirmed_at = app.now(), confirmed_by = app.account(), valid_until = confirmed_until, version = version + 1
    where id = g.id;
  perform app.finish_tasks('confirm_vital_interest', g.id, null);
end $$;
grant execute on function app.confirm_grant(uuid, integer) to app;

-- Called when an organisation stops handling a case: closes all of its grants, and the statute grants of the committee
-- above it. The committee keeps its grants if it is also above p_next, the next handler, or above the owner.
create function app.leave_case(p_case uuid, p_handler uuid, p_next uuid, p_reason text) returns void
language sql security definer set search_path = '' as $$
  select app.close_grants(array(
    select g.id
    from public.grants g
      join public.organisations h on h.id = p_handler
      join public.organisations o on o.id = g.owner_id
    where g.case_id = p_case and g.closed_at is null and g.recipient_id <> g.owner_id and (g.recipient_id = h.id
      or g.recipient_id = h.parent_id and g.basis = 'statute' and h.parent_id is distinct from o.parent_id
        and h.parent_id is distinct from (
          select n.parent_id from public.organisations n where n.id = p_next))), p_reason)
$$;

-- After events were inserted: opens and closes the grants that follow from them. A legal basis opens the owner's own
-- grant (a reopening or a renewal replaces it; that of a custodian opens the zone contact, for a term), and one by
-- statute for the committee of an owning division. The handler and its committee have grants by statute from acceptance
-- until they leave the case. A withdrawal closes the grants of others, except by statute. Void offers are recalled.
create function app.open_and_close_grants() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from written where action in ('reopen', 'renew_basis', 'withdraw', 'return', 'hand_over')) then
    perform app.close_grants(array(
      select g.id from public.grants g join written w on w.case_id = g.case_id
      where g.closed_at is null and case
        when w.action in ('reopen', 'renew_basis') then
          g.recipient_id = g.owner_id and g.purpose = 'case_management'
        when w.action = 'withdraw' then g.recipient_id <> g.owner_id and g.basis <> 'statute'
        else false end),
      (select case action when 'withdraw' then 'withdrawn' else 'renewed' end from written limit 1));
    perform app.leave_case(w.case_id, c.handler_id, (w.facts ->> 'handler')::uuid,
        case w.action when 'return' then 'returned' when 'hand_over' then 'handed_over' else 'reopened' end)
      from written w join public.cases c on c.id = w.case_id
      where w.action in ('return', 'hand_over', 'reopen') and c.handler_id <> c.owner_id;
  end if;
  if exists (select from written where action in ('withdraw', 'close', 'return')) then
    perform app.recall_offers(array(
      select r.id from public.referrals r join written w on w.case_id = r.case_id
      where r.state = 'offered'
        and case w.action when 'return' then r.kind = 'hand_over' else w.action in ('withdraw', 'close') end));
  end if;
  if not exists (select from written where facts ? 'basis' or action in ('accept', 'hand_over')) then
    return null;
  end if;
  insert into public.grants (case_id, owner_id, giver_id, recipient_id, purpose, zones, basis, legal_reference, method,
      language, form_version, representative, opened_at, given_by, valid_until)
    select w.case_id, c.owner_id, c.owner_id, o.id, 'case_management',
      case when custody then '{contact}' else enum_range(null::public.zone) end, (b ->> 'kind')::public.basis,
      b ->> 'legalReference', b ->> 'method', b ->> 'language', b ->> 'formVersion', b ->> 'representative',
      app.now(), w.account_id,
      case when custody then app.end_of(app.term_end(app.today(), 'custody')) else 'infinity' end
    from written w
      join public.cases c on c.id = w.case_id
      join public.organisations o on o.id = c.owner_id,
      lateral (select w.facts -> 'basis' as b, w.action = 'entrust' as custody) basis
    where b is not null
    union all
    select w.case_id, c.owner_id, c.owner_id, o.id, p.purpose, p.legal_zones, 'statute',
      coalesce(w.facts #>> '{basis,legalReference}', p.legal_basis), null, null, null, null, app.now(), w.account_id,
      'infinity'
    from written w
      join public.cases c on c.id = w.case_id
      join public.purposes p on p.purpose = 'status_determination'
      join public.organisations h
        on h.id = case when w.facts ? 'basis' then c.owner_id else (w.facts ->> 'handler')::uuid end
      join public.organisations o on o.id = h.parent_id or o.id = h.id and not w.facts ? 'basis'
    where (w.facts ? 'basis' and (w.from_state = '' or w.action = 'transfer') or w.action in ('accept', 'hand_over'))
      and not exists (select from public.grants g
        where g.case_id = w.case_id and g.recipient_id = o.id and g.basis = 'statute' and g.closed_at is null);
  return null;
end $$;
create trigger then_2_open_and_close_grants after insert on case_events referencing new table as written
  for each statement execute function app.open_and_close_grants();

-- Before a grant is inserted: refuses it if the file of the case was erased.
create function app.refuse_erased() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from public.cases c where c.id = new.case_id and c.erased_at is not null) then
    perform app.refuse('file-erased');
  end if;
  return new;
end $$;
create trigger refuse_erased before insert on grants for each row execute function app.refuse_erased();

-- The text of a grant is read by the organisation that wrote it, while it can read the grant. Only functions write it.
grant select on grant_texts to app;
create policy seen on grant_texts for select to app using (
  organisation_id = (select app.org()) and exists (select from grants g where g.id = grant_id));
create trigger keep_history before update or delete on grant_texts for each row execute function app.keep_history();
