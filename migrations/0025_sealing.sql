-- Whatever is typed about a case is kept sealed: the database holds neither the texts nor the keys to them.

-- A file that was written in clear stays readable in pages, logs and backups that nobody can call back: nothing of it is
-- taken over as if it were safe.
do $$ begin
  if exists (select from cases) then
    raise exception 'There are cases in this database from before anything was sealed: start with a new one, and register or import them there';
  end if;
end $$;

-- What one organisation types about one case is sealed with a key that is kept here, itself sealed by the key of an epoch,
-- which is kept elsewhere. Its id stands before everything that it seals.
create table data_keys (
  id uuid primary key,
  case_id uuid not null references cases deferrable initially deferred,
  organisation_id uuid not null references organisations,
  epoch int not null,
  wrapped bytea not null
);
create index on data_keys (case_id, organisation_id);
create index on data_keys (epoch);
call app.guard(array['data_keys'::regclass]);

-- Something sealed, with what opens it together with the key file; base64. Of what was erased there is no key any more.
create function app.sealed(content bytea) returns jsonb language plpgsql stable strict security definer set search_path = '' as $$
begin
  return (select jsonb_build_object('content', encode(content, 'base64'), 'key', encode(k.wrapped, 'base64'), 'epoch', k.epoch)
    from public.data_keys k where k.id = encode(substr(content, 1, 16), 'hex')::uuid);
end $$;
-- The caller's key for a case that they reach, or for that of a referral which they send or receive: the one that is kept,
-- or else this one, kept from now on.
create function app.own_data_key(p_case uuid, p_referral uuid, p_id uuid, p_epoch int, p_wrapped bytea)
returns table (id uuid, epoch int, wrapped bytea) language plpgsql security definer set search_path = '' as $$
declare target uuid := coalesce(p_case, (
  select r.case_id from public.referrals r where r.id = p_referral and app.org() in (r.from_id, r.to_id, r.owner_id)));
begin
  return query select k.id, k.epoch, k.wrapped from public.data_keys k
    where k.case_id = target and k.organisation_id = app.org() order by k.id desc limit 1;
  if found then return; end if;
  if target is null or p_referral is null and not app.reaches(target) then perform app.refuse('not-found'); end if;
  -- Whoever has not heard of the newest epoch yet must not wrap by one that may be destroyed.
  if p_epoch < (select max(k.epoch) from public.data_keys k) then perform app.refuse('unavailable'); end if;
  insert into public.data_keys values (p_id, target, app.org(), p_epoch, p_wrapped);
  return query select p_id, p_epoch, p_wrapped;
end $$;
-- One that the key file of this database opens: nobody starts with that of another one.
create function app.newest_data_key() returns table (id uuid, epoch int, wrapped bytea)
language sql stable security definer set search_path = '' as $$
  select k.id, k.epoch, k.wrapped from public.data_keys k order by k.epoch desc limit 1
$$;

drop function app.read_case(uuid, text[], uuid, text, jsonb, uuid);
drop view looks;
alter table zone_versions alter column content type bytea using null;
alter table event_texts alter column content type bytea using null,
  add column id uuid not null unique default gen_random_uuid(); -- under which it was sealed
alter table proposals alter column content drop default, alter column content drop not null, alter column content type bytea using null,
  alter column rejection type bytea using null;
alter table decisions alter column content drop not null, alter column content type bytea using null,
  add column text_id uuid; -- under which it was sealed
alter table documents alter column content type bytea using null, add column text_id uuid not null default gen_random_uuid();
alter table note_versions alter column content type bytea using null;
alter table tasks alter column content type bytea using null;
alter table flags alter column content type bytea using null, alter column clearance type bytea using null;
alter table grant_texts alter column content type bytea using null;
alter table referral_texts alter column content type bytea using null;
alter type app.import_row alter attribute identity set data type bytea, alter attribute document set data type bytea,
  add attribute key_id uuid, add attribute epoch int, add attribute wrapped bytea, add attribute text_id uuid;
grant insert (id) on event_texts to app;

-- A case as far as it stands open to the caller; what is known of the person, sealed, each zone with its version.
create view looks with (security_invoker) as
  select i.*, s.relations, s.needs_document as "needsDocument", s.final, s.to_hand_over as "toHandOver", app.open_zones(a) as open,
    (select jsonb_build_object('kind', g.basis, 'method', g.method, 'language', g.language, 'formVersion', g.form_version,
        'legalReference', g.legal_reference, 'representative', g.representative)
      from open_grants g where g.case_id = i.id and g.purpose = 'case_management' and g.owner_id = g.recipient_id) as basis,
    (select jsonb_object_agg(z.zone, app.sealed(z.content) || jsonb_build_object('version', z.version)) from (
      select distinct on (zone) zone, version, content from zone_versions v where v.case_id = i.id order by zone, version desc) z) as person
  from case_access a join case_index i on i.id = a.case_id, app.standing_of(i.id) s;
grant select on looks to app;
-- One case in one statement, which is a whole transaction: the caller is let in, looks, and has their entry, or nothing happens.
create function app.read_case(p_session uuid, p_offices text[], p_entry uuid, p_operation text, p_said jsonb, p_case uuid) returns setof looks
language plpgsql as $$
declare look looks;
begin
  perform app.enter(p_session, p_offices), set_config('app.entry', p_entry::text, true);
  select * into look from looks where id = p_case;
  if not found then perform app.refuse('not-found'); end if;
  perform app.write_entry(p_operation, p_said || jsonb_build_object('zones',
    coalesce((select jsonb_agg(z) from unnest(enum_range(null::zone)) z where look.person ? z::text), '[]')));
  return next look;
end $$;

grant create on schema app to definer;
set local role definer;
drop function app.reject_proposal(uuid, int, jsonb);
drop function app.rewrite_note(uuid, int, jsonb, boolean);
drop function app.change_task(uuid, int, uuid, date, jsonb);
drop function app.clear_flag(uuid, int, jsonb);
drop function app.give_grant(public.grants, jsonb, date, boolean, text);
drop function app.revoke_grant(uuid, int, jsonb);
drop function app.offer_referral(public.referrals, jsonb, public.grants, jsonb, date, int);
drop function app.decide_referral(uuid, int, text, text, jsonb);

-- A rejection leaves the case as it is. Whoever made the proposal may take it back.
create function app.reject_proposal(p_proposal uuid, p_version int, p_rejection bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare p public.proposals;
begin
  select * into p from public.proposals where id = p_proposal and proposed_by = app.account() and state = 'open'
    and expires_on >= app.today() and app.reaches(case_id) for update;
  if p.id is null then p := app.settleable(p_proposal); end if;
  if p.version <> p_version then perform app.refuse('precondition-failed'); end if;
  update public.proposals set state = 'rejected', settled_by = app.account(), settled_at = app.now(),
    rejection = p_rejection, version = version + 1 where id = p.id;
end $$;

-- Writes the next version of one's own note, or strikes it, which is the last. Whoever has lost the case has nothing more to
-- say to those who have it.
create function app.rewrite_note(p_note uuid, p_version int, p_content bytea, p_struck boolean) returns void
language plpgsql security definer set search_path = '' as $$
declare n public.notes;
begin
  select * into n from public.notes where id = p_note for update;
  if n.id is null or n.organisation_id <> app.org() and not (n.audience = 'case' and app.reaches(n.case_id)) then
    perform app.refuse('not-found');
  elsif n.organisation_id <> app.org() then
    perform app.refuse('forbidden', 'Whose note it is writes it');
  elsif n.version <> p_version then
    perform app.refuse('precondition-failed');
  elsif n.struck then
    perform app.refuse('note-struck');
  elsif n.audience = 'case' and not p_struck and not app.reaches(n.case_id) then
    perform app.refuse('forbidden', 'The case has left you: what others read can only be struck');
  end if;
  insert into public.note_versions (note_id, version, content) values (n.id, n.version + 1, p_content);
  update public.notes set version = n.version + 1, struck = p_struck where id = n.id;
end $$;

-- Gives a task to somebody else, another day, another title. What the system set keeps its day.
create function app.change_task(p_task uuid, p_version int, p_assignee uuid, p_due date, p_content bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare t public.tasks := app.open_task(p_task, p_version);
begin
  if t.kind <> 'by_hand' and (p_content is not null or p_due is distinct from t.due_on) then perform app.refuse('task-of-the-system'); end if;
  update public.tasks set assignee_id = p_assignee, due_on = p_due, content = coalesce(p_content, content), version = version + 1 where id = t.id;
end $$;

create function app.clear_flag(p_flag uuid, p_version int, p_clearance bytea) returns void language plpgsql security definer set search_path = '' as $$
declare f public.flags;
begin
  select * into f from public.flags where id = p_flag and organisation_id = app.org() and app.reaches(case_id) for update;
  if f.id is null then perform app.refuse('not-found'); end if;
  if f.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if f.cleared_at is not null then perform app.refuse('flag-cleared'); end if;
  update public.flags set cleared_at = app.now(), cleared_by = app.account(), clearance = p_clearance, version = version + 1 where id = f.id;
end $$;

-- Gives a grant, if the caller may: the owner of the case, or whoever holds one that reaches as far and may be given onward.
-- `given` says what is shared, in valid_until by its last day; `born` the latest day on which the person may have been born, as far as the caller knows it.
-- Open at once, unless it waits for the acceptance of its referral. `place`: where it stands in what was sent.
create function app.give_grant(given public.grants, typed bytea, born date, at_once boolean, place text) returns void
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
  if typed is not null then insert into public.grant_texts values (given.id, 'given', app.org(), typed); end if;
  if vital then
    perform app.make_task('confirm_vital_interest', c.owner_id, c.id, given.id, null, (given.valid_until at time zone
      (select i.time_zone from public.installation i))::date);
  end if;
end $$;

-- The person takes back what they agreed to: at once, also what was given onward from it. Whoever had it is told, and
-- acknowledges. An offer that waits with it is recalled.
create function app.revoke_grant(p_grant uuid, p_version int, p_typed bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare g public.grants := app.grant_of(p_grant, p_version); told record;
begin
  if app.org() not in (g.owner_id, g.giver_id) then perform app.refuse('forbidden', 'Whoever gave it revokes it'); end if;
  if g.basis = 'statute' or g.recipient_id = g.owner_id then
    perform app.refuse('grant-not-revocable');
  elsif app.standing(g) in ('closed', 'expired') then
    perform app.refuse('grant-over');
  end if;
  if p_typed is not null then insert into public.grant_texts values (g.id, 'closed', app.org(), p_typed); end if;
  if app.standing(g) = 'offered' then
    perform app.settle_referral(r, 'recall', null, null) from public.referrals r where r.grant_id = g.id and r.state = 'offered';
  end if;
  for told in select * from app.close_grants(array[g.id], 'revoked') where opened_at is not null loop
    perform app.make_task('acknowledge_revocation', told.recipient_id, null, told.id, null, app.term_end(app.today(), 'revocation_acknowledgement'));
  end loop;
end $$;

-- Offers a case, if the caller may: as its owner or handler, to an organisation that this kind is for. What the person agreed
-- to share comes with it and opens with its acceptance; a transfer brings what its new owner keeps the file by, and who was
-- there when the person agreed to that.
create function app.offer_referral(offered public.referrals, typed bytea, agreed bytea, shared public.grants, shared_typed bytea, born date,
  on_version int) returns void language plpgsql security definer set search_path = '' as $$
declare c public.cases; rule public.referral_rules; recipient public.organisations; instant timestamptz := app.now();
begin
  select * into c from public.cases where id = offered.case_id for update;
  if c.id is null or not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if c.version <> on_version then perform app.refuse('precondition-failed'); end if;
  select r.* into rule from public.referral_rules r where r.kind = offered.kind and r.senders @> array[app.kind()::public.organisation_kind];
  if rule.kind is null or app.org() is distinct from (case rule.relation when 'owner' then c.owner_id else c.handler_id end) then
    perform app.refuse('forbidden', 'This is not yours to offer');
  end if;
  if not c.state = any (rule.states) then perform app.refuse('action-not-allowed'); end if;
  select * into recipient from public.organisations where id = offered.to_id and status = 'active' and id not in (app.org(), c.owner_id);
  if not coalesce(recipient.kind = any (rule.recipients), false) or recipient.id = c.handler_id
      or offered.kind = 'submission' and not exists (select from public.coverage where organisation_id = recipient.id and region_code = c.region_code) then
    perform app.refuse('invalid-request', 'Not an organisation that this can be offered to', '#/to');
  end if;
  if (shared.id is null) <> (rule.purposes = '{}') then
    perform app.refuse('invalid-request', 'A grant comes with a submission or a service, and with nothing else', '#/grant');
  elsif shared.id is not null and not shared.purpose = any (rule.purposes) then
    perform app.refuse('invalid-request', 'Not a purpose of this kind of referral', '#/grant/purpose');
  elsif offered.kind = 'submission' and not 'identity' = any (shared.zones) then
    perform app.refuse('invalid-request', 'Nobody determines the status of somebody unknown: identity comes with it', '#/grant/zones');
  elsif (offered.basis is null) <> (offered.kind <> 'transfer') then
    perform app.refuse('invalid-request', 'A transfer brings what its new owner keeps the file by, and nothing else does', '#/basis');
  end if;
  if coalesce(offered.expires_on < app.today(), false) then perform app.refuse('invalid-request', 'It expires before it is offered', '#/expiresOn'); end if;
  offered.expires_on := coalesce(offered.expires_on, app.term_end(app.today(), 'referral_offer'));
  if shared.id is not null then
    shared.case_id := c.id; shared.recipient_id := recipient.id;
    perform app.give_grant(shared, shared_typed, born, false, '#/grant');
  end if;
  insert into public.referrals (id, kind, case_id, owner_id, from_id, to_id, grant_id, basis, region_code, category, child, zones, purpose,
      offered_at, offered_by, expires_on, expires_at)
    select offered.id, rule.kind, c.id, c.owner_id, app.org(), recipient.id, shared.id, offered.basis, c.region_code, c.category, offered.child,
      coalesce(shared.zones, case rule.relation when 'owner' then enum_range(null::public.zone) else p.legal_zones end),
      p.purpose, instant, app.account(), offered.expires_on, app.end_of(offered.expires_on)
    from public.purposes p
    where p.purpose = coalesce(shared.purpose, case rule.relation when 'owner' then 'case_management' else 'status_determination' end::public.purpose);
  if typed is not null then insert into public.referral_texts values (offered.id, 'offer', app.org(), typed); end if;
  if agreed is not null then insert into public.referral_texts values (offered.id, 'basis', app.org(), agreed); end if;
  perform app.make_task('answer_referral', recipient.id, null, null, offered.id, app.term_end(app.today(), 'acknowledge_submission'));
  if rule.actions ? 'offer' then
    insert into public.case_events (case_id, action, referral_id) values (c.id, rule.actions ->> 'offer', offered.id);
  end if;
end $$;

-- Decides about a referral, if the caller may now.
create function app.decide_referral(p_referral uuid, p_version int, p_decision text, p_reason text, typed bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare r public.referrals; d public.referral_decisions;
begin
  perform from public.cases c join public.referrals f on f.case_id = c.id where f.id = p_referral for update of c;
  select * into r from public.referrals where id = p_referral for update;
  if r.id is null or not (app.org() in (r.owner_id, r.to_id) or app.org() = r.from_id -- as the policy has it
      and (r.state not in ('accepted', 'ended') or r.kind = 'transfer' or app.reaches(r.case_id))) then
    perform app.refuse('not-found');
  end if;
  if r.version <> p_version then perform app.refuse('precondition-failed'); end if;
  select * into d from public.referral_decisions where decision = p_decision and r.kind = any (kinds);
  if d.decision is null or d.party is distinct from (case app.org() when r.to_id then 'recipient' when r.from_id then 'sender' end) then
    perform app.refuse('forbidden', 'This decision is not yours');
  elsif d.from_state <> r.state or r.state = 'offered' and r.expires_at <= app.now() then
    perform app.refuse('referral-over');
  elsif not p_decision = any (app.allowed_decisions(r)) then
    perform app.refuse('action-not-allowed');
  end if;
  if d.needs_reason and p_reason is null then perform app.refuse('invalid-request', 'This decision has a reason', '#/reason'); end if;
  if typed is not null then insert into public.referral_texts values (r.id, p_decision, app.org(), typed); end if;
  perform app.settle_referral(r, p_decision, p_reason, null);
  perform app.look_at(r.case_id);
end $$;

-- What was proposed is settled, and what was typed with it stands where it belongs, under the id that it was sealed with.
create or replace function app.settle_proposals() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where proposal_id is not null) then return null; end if;
  update public.proposals p set state = 'confirmed', settled_by = w.account_id, settled_at = w.recorded_at, version = version + 1
    from written w where p.id = w.proposal_id;
  insert into public.event_texts (id, event_id, case_id, organisation_id, content)
    select p.id, w.id, w.case_id, w.organisation_id, p.content from written w join public.proposals p on p.id = w.proposal_id
    where w.action not in ('decide', 'discontinue', 'record_document') and p.content is not null;
  insert into public.documents (event_id, case_id, committee_id, type, number_hmac, iin_hmac, text_id, content, issued_on, expires_on)
    select w.id, w.case_id, coalesce(o.parent_id, o.id), f ->> 'documentType', decode(f ->> 'numberHmac', 'hex'), decode(f ->> 'iinHmac', 'hex'),
      p.id, p.content, (f ->> 'issuedOn')::date, (f ->> 'expiresOn')::date
    from written w join public.proposals p on p.id = w.proposal_id join public.organisations o on o.id = w.organisation_id,
      lateral (select w.facts as f) facts
    where w.action = 'record_document';
  update public.decisions d set annulled = true from written w where d.event_id = w.annuls;
  update public.documents d set annulled = true from written w where d.event_id = w.annuls;
  return null;
end $$;

create or replace function app.keep_decisions() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where to_state = 'decided' and facts ? 'outcome') then return null; end if;
  insert into public.decisions (event_id, case_id, identity_version, outcome, country, legal_reference, reason, text_id, content, final_on)
    select w.id, w.case_id, p.identity_version, f ->> 'outcome', f ->> 'country', f ->> 'legalReference', f ->> 'reason',
      p.id, p.content, (f ->> 'finalOn')::date
    from written w left join public.proposals p on p.id = w.proposal_id, lateral (select w.facts as f) facts
    where w.to_state = 'decided' and f ? 'outcome';
  return null;
end $$;

-- What a decision makes of a referral: of its grant, and of the case by the event that goes with it.
create or replace function app.settle_referral(r public.referrals, p_decision text, p_reason text, day date) returns void
language plpgsql security definer set search_path = '' as $$
declare
  d public.referral_decisions; c public.cases; moved text := app.action_of(r, p_decision);
begin
  select * into c from public.cases where id = r.case_id;
  select * into d from public.referral_decisions where decision = p_decision;
  update public.referrals set state = d.to_state, reason = p_reason, settled_at = app.now(), settled_by = app.account(), version = version + 1
    where id = r.id;
  perform app.finish_tasks('answer_referral', null, r.id);
  if d.grants = 'open' then
    update public.grants set opened_at = app.now(), version = version + 1 where id = r.grant_id and closed_at is null;
  elsif d.grants = 'close' then
    perform app.close_grants(array[r.grant_id], d.to_state);
  end if;
  if moved is not null then
    insert into public.case_events (case_id, action, occurred_on, referral_id, facts)
    select c.id, moved, day, r.id, coalesce(jsonb_object_agg(f.fact, f.said), '{}') from public.lifecycle l, lateral (values
        ('handler', case when moved <> 'transfer' or c.handler_id = c.owner_id then to_jsonb(r.to_id) end),
        ('owner', to_jsonb(r.to_id)),
        ('basis', r.basis),
        ('reason', to_jsonb(p_reason))) f(fact, said)
      where l.action = moved and l.from_state = c.state and f.fact = any (l.facts) and f.said is not null;
    insert into public.event_texts (id, event_id, case_id, organisation_id, content) -- who was there when the person agreed to it
      select r.id, e.id, e.case_id, e.organisation_id, t.content from public.case_events e join public.referral_texts t on t.referral_id = r.id
      where e.referral_id = r.id and e.action = moved and r.basis is not null and t.decision = 'basis';
  end if;
end $$;

-- What is known of each new person, for what follows from the events to find it; the events that each row tells of and its
-- case does not have yet, all in one statement; and what came along with them.
create or replace function app.write_import(p_job uuid, p_campaign uuid, rows app.import_row[]) returns void
language plpgsql security definer set search_path = '' as $$
declare basis jsonb := (select jsonb_build_object('kind', 'statute', 'legalReference', code)
  from public.codes where list = 'legal_basis' order by position limit 1);
begin
  insert into public.data_keys (id, case_id, organisation_id, epoch, wrapped)
    select key_id, case_id, owner, epoch, wrapped from unnest(rows) where stage = 0 or document_type is not null and stage < 3;
  insert into public.zone_versions (case_id, zone, version, content, sex, birth_year)
    select case_id, 'identity', 1, identity, sex, birth_year from unnest(rows) where stage = 0;
  insert into public.case_events (id, case_id, action, from_state, to_state, occurred_on, recorded_at, organisation_id, account_id,
      facts, job_id, line)
    with told as (
      select r.line, r.case_id, r.owner, r.outcome, s.stage, s.step,
        case s.stage when 1 then r.registered_on when 2 then r.decided_on when 3 then r.issued_on end as day,
        case s.stage
          when 1 then jsonb_strip_nulls(jsonb_build_object('owner', r.owner, 'campaign', p_campaign, 'region', r.region,
            'category', r.category, 'causes', r.causes, 'externalHmac', r.external_hmac, 'basis', basis))
          when 2 then jsonb_build_object('outcome', r.outcome)
          when 3 then jsonb_build_object('documentType', r.document_type) end as facts
      from unnest(rows) r join (select i.stage, l as step from public.import_steps i join public.lifecycle l using (action, from_state)) s
        on s.stage > r.stage and s.stage <= case when r.document_type is not null then 3 when r.outcome is not null then 2 else 1 end),
    -- What follows is asked once for all that are alike.
    alike as (
      select stage, day, app.effects((array_agg(step))[1], (array_agg(facts))[1], day, owner, outcome) as effects, (array_agg(step))[1] as step,
        array_agg(line) as lines, array_agg(case_id) as cases, array_agg(facts) as facts
      from told group by stage, owner, outcome, day)
    select uuidv7(), t.case_id, (a.step).action, (a.step).from_state, (a.step).to_state, a.day, clock_timestamp(), app.org(), app.account(),
      t.facts || a.effects, p_job, t.line
    from alike a, unnest(a.lines, a.cases, a.facts) t(line, case_id, facts)
    order by t.line, a.stage;

  insert into public.identifiers (case_id, version, kind, hmac)
    select r.case_id, 1, i.kind, decode(i.hmac, 'hex')
    from unnest(rows) r, jsonb_to_recordset(r.identifiers) as i(kind text, hmac text) where r.stage = 0;
  insert into public.documents (event_id, case_id, committee_id, type, text_id, content, number_hmac, issued_on, expires_on)
    select e.id, r.case_id, coalesce(app.parent(), app.org()), r.document_type, r.text_id, r.document, decode(r.number_hmac, 'hex'), r.issued_on, r.expires_on
    from unnest(rows) r join public.case_events e on e.case_id = r.case_id and e.job_id = p_job and e.line = r.line
      and e.action = 'import_documented'
    where r.document_type is not null and r.stage < 3;
end $$;
revoke execute on function app.reject_proposal(uuid, int, bytea), app.rewrite_note(uuid, int, bytea, boolean),
  app.change_task(uuid, int, uuid, date, bytea), app.clear_flag(uuid, int, bytea),
  app.give_grant(public.grants, bytea, date, boolean, text), app.revoke_grant(uuid, int, bytea),
  app.offer_referral(public.referrals, bytea, bytea, public.grants, bytea, date, int), app.decide_referral(uuid, int, text, text, bytea) from public;
grant execute on function app.reject_proposal(uuid, int, bytea), app.rewrite_note(uuid, int, bytea, boolean),
  app.change_task(uuid, int, uuid, date, bytea), app.clear_flag(uuid, int, bytea),
  app.give_grant(public.grants, bytea, date, boolean, text), app.revoke_grant(uuid, int, bytea),
  app.offer_referral(public.referrals, bytea, bytea, public.grants, bytea, date, int), app.decide_referral(uuid, int, text, text, bytea) to app;
reset role;
revoke create on schema app from definer;

grant execute on function app.newest_data_key(), app.sealed(bytea), app.own_data_key(uuid, uuid, uuid, int, bytea), app.read_case(uuid, text[], uuid, text, jsonb, uuid) to app;
call app.define(array[
  'app.newest_data_key()',
  'app.sealed(bytea)',
  'app.own_data_key(uuid,uuid,uuid,int,bytea)'
]::regprocedure[]);
