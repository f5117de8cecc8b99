-- A case is offered to another organisation, which sees a preview until it accepts. What moves a case from one to another
-- in the lifecycle comes with its referral, or not at all.

-- Who may offer what, to whom, when, and what happens to the case with each decision: seeded from policy.ts.
create table referral_rules (
  kind text not null,
  relation text not null check (relation in ('owner', 'handler')),
  senders organisation_kind[] not null,
  recipients organisation_kind[] not null,
  states text[] not null,
  purposes purpose[] not null, -- of the grant that comes with it; none: it brings its own
  actions jsonb not null, -- by decision
  primary key (kind, senders)
);
-- Which decision there is, in which state of a referral, by whom; the clock's is nobody's.
create table referral_decisions (
  decision text not null,
  kinds text[] not null,
  from_state text not null,
  to_state text not null,
  party text not null check (party in ('sender', 'recipient', 'clock')),
  grants text check (grants in ('open', 'close')), -- what becomes of the grant that came with it
  needs_reason boolean not null,
  primary key (decision)
);

create table referrals (
  id uuid primary key,
  kind text not null,
  case_id uuid not null references cases, -- not the service's to read: see app.referred()
  owner_id uuid not null references organisations, -- of the case
  from_id uuid not null references organisations,
  to_id uuid not null references organisations,
  grant_id uuid references grants,
  basis jsonb, -- of a transfer: what the new owner keeps the file by
  -- The preview: as it stood when it was offered.
  region_code text not null,
  category text not null,
  child boolean not null,
  zones zone[] not null,
  purpose purpose not null,
  state text not null default 'offered' check (state in ('offered', 'accepted', 'declined', 'recalled', 'expired', 'ended')),
  reason text,
  offered_at timestamptz not null, offered_by uuid not null references accounts,
  expires_on date not null, -- the last day on which it can be accepted
  expires_at timestamptz not null,
  settled_at timestamptz, settled_by uuid references accounts,
  version int not null default 1
);
create unique index referrals_pending on referrals (case_id, kind, (case when kind = 'service' then to_id end)) nulls not distinct where state = 'offered';
create index on referrals (case_id, id);
create index on referrals (to_id, state, id);
create index on referrals (from_id, state, id);
create index on referrals (expires_at) where state = 'offered';

create table referral_texts (
  referral_id uuid not null references referrals,
  decision text not null, -- `offer`, or what was decided
  organisation_id uuid not null references organisations,
  content jsonb not null,
  primary key (referral_id, decision)
);
call app.guard(array['referral_rules', 'referral_decisions', 'referrals', 'referral_texts']::regclass[]);
grant select on referral_rules, referral_decisions, referral_texts to app;
grant select (id, kind, from_id, to_id, region_code, category, child, zones, purpose, state, reason, offered_at, offered_by, expires_on, expires_at,
  settled_at, settled_by, version) on referrals to app;
create policy public_knowledge on referral_rules for select to app using (true);
create policy public_knowledge on referral_decisions for select to app using (true);
-- Once it is accepted, its sender sees it as long as it reaches the case, but for a transfer, which nothing changes any more.
create policy seen on referrals for select to app using (
  (select app.org()) in (owner_id, to_id) or from_id = (select app.org()) and (state not in ('accepted', 'ended') or kind = 'transfer'
    or (select true from case_access a where a.case_id = referrals.case_id limit 1)));
create policy seen on referral_texts for select to app using (exists (
  select from referrals r where r.id = referral_id and (select app.org()) in (r.from_id, r.to_id)));
create trigger keep_history before update or delete on referral_texts for each row execute function app.keep_history();
alter table tasks add foreign key (referral_id) references referrals;

-- A case that somebody looked at without being told which one it is: for the entry of their request.
create function app.look_at(p_case uuid) returns void language sql as $$
  select set_config('app.looked', concat_ws(',', nullif(current_setting('app.looked', true), ''), p_case), true)
$$;
-- Of which case a referral speaks, and which grant comes with it, for those who may know: they reach the case, and are no
-- recipient who has not accepted. The others have looked at it too.
create function app.referred(p_referral uuid) returns table (case_id uuid, grant_id uuid)
language plpgsql security definer set search_path = '' as $$
declare r public.referrals;
begin
  select * into r from public.referrals f where f.id = p_referral;
  perform app.look_at(r.case_id);
  if app.reaches(r.case_id) and (app.org() in (r.owner_id, r.from_id) or r.to_id = app.org() and r.state in ('accepted', 'ended')) then
    return query select r.case_id, r.grant_id;
  end if;
end $$;
-- The referrals of a case, likewise.
create function app.referrals_of(p_case uuid) returns setof uuid language sql stable security definer set search_path = '' as $$
  select r.id from public.referrals r where r.case_id = p_case and app.reaches(p_case)
    and (app.org() in (r.owner_id, r.from_id) or r.to_id = app.org() and r.state in ('accepted', 'ended'))
$$;

alter table lifecycle add column by_referral boolean not null default false; -- it comes with a referral, and only so
alter table lifecycle alter column by_referral drop default;
alter table case_events add column referral_id uuid references referrals;
alter table case_events alter column account_id drop not null;
alter table case_events add check (account_id is not null or action = 'expire'); -- nobody's doing but the clock's
create or replace view standing_events with (security_invoker) as
  select * from case_events e where annuls is null and not exists (select from case_events a where a.annuls = e.id);

grant create on schema app to definer;
set local role definer;

-- As before; and what came with a referral is undone by the decisions that it has, not by annulment.
create or replace function app.annullable(e public.standing_events) returns boolean
language sql stable security definer set search_path = '' return
  e.from_state <> '' and e.action <> 'reopen' and e.referral_id is null and not exists (
    select from public.standing_events later where later.case_id = e.case_id and later.id > e.id
      and (e.from_state <> e.to_state and later.from_state <> later.to_state or later.facts ->> 'document' = e.id::text));

-- As before, with one condition more.
create or replace function app.holds(condition text, c public.cases, relations text[], p_facts jsonb, today date) returns boolean
language sql stable security definer set search_path = '' return case condition
  when 'needs_document' then exists (
    select from public.codes o where o.list = 'outcome' and o.code = c.outcome and o.needs_document)
  when 'needs_no_document_and_final' then exists (
    select from public.codes o where o.list = 'outcome' and o.code = c.outcome and not o.needs_document)
    and coalesce(c.final_on <= today, true)
  when 'negative_by_committee' then exists (
    select from public.codes o where o.list = 'outcome' and o.code = p_facts ->> 'outcome' and o.code <> 'discontinued'
      and (o.polarity <> 'negative' or 'committee' = any (relations)))
  when 'discontinued' then p_facts ->> 'outcome' = 'discontinued'
  when 'not_by_authority' then not 'authority' = any (relations)
  when 'not_handed_over' then exists (
    select from public.standing_events d where d.id = (p_facts ->> 'document')::uuid and d.case_id = c.id
      and d.action in ('record_document', 'import_documented'))
    and not exists (select from public.standing_events h where h.case_id = c.id and h.facts ->> 'document' = p_facts ->> 'document')
  when 'only_imported' then not exists (
    select from public.standing_events e where e.case_id = c.id and e.from_state <> e.to_state and not starts_with(e.action, 'import_'))
  when 'only_imported_and_needs_document' then not exists (
    select from public.standing_events e where e.case_id = c.id and e.from_state <> e.to_state and not starts_with(e.action, 'import_'))
    and exists (select from public.codes o where o.list = 'outcome' and o.code = c.outcome and o.needs_document)
  else condition is null end;

drop function app.check_step(public.cases, text, uuid, jsonb, uuid, int, date);
-- May this happen to the case? Decided here, whatever the service thinks. Gives the step of the lifecycle.
create function app.check_step(c public.cases, p_action text, p_organisation uuid, p_facts jsonb, p_annuls uuid, p_on_version int, p_day date,
  p_referral uuid)
returns public.lifecycle language plpgsql security definer set search_path = '' as $$
declare
  step public.lifecycle; target public.standing_events; today date := app.today();
  owner uuid := coalesce(c.owner_id, (p_facts ->> 'owner')::uuid, p_organisation);
  relations text[] := app.relations(p_organisation, owner, c.handler_id);
begin
  select * into step from public.lifecycle where action = p_action and from_state = coalesce(c.state, '');
  if p_annuls is not null then
    select * into target from public.standing_events where id = p_annuls and case_id = c.id;
    if target.organisation_id = p_organisation and app.annullable(target) then relations := relations || 'recorder'::text; end if;
  end if;
  if p_referral is not null then
    relations := relations || array(select case when app.account() is null then 'clock' else 'recipient' end
      from public.referrals r where r.id = p_referral and r.case_id = c.id and (app.account() is null or r.to_id = p_organisation));
  end if;
  if p_on_version <> c.version then perform app.refuse('precondition-failed'); end if;
  if step.action is null or not step.relations && relations or step.by_referral <> (p_referral is not null)
      or not app.holds(step.condition, c, relations, p_facts, today) then
    perform app.refuse('action-not-allowed');
  end if;
  if exists (select from jsonb_object_keys(p_facts) key where not key = any (step.facts)) then
    perform app.refuse('invalid-request', 'This action does not say that');
  end if;
  if p_facts ? 'region' and not exists (select from public.regions r where r.code = p_facts ->> 'region' and r.valid @> p_day) then
    perform app.refuse('invalid-request', 'No region on that day');
  end if;
  if p_facts ? 'basis' and p_facts #>> '{basis,kind}' is distinct from (
      select case when o.kind in ('ngo', 'iom') then 'consent' else 'statute' end from public.organisations o where o.id = owner) then
    perform app.refuse('invalid-request', 'An authority registers by statute, everybody else by consent');
  end if;
  if (p_facts ->> 'issuedOn')::date > p_day or p_facts ->> 'expiresOn' < p_facts ->> 'issuedOn' then
    perform app.refuse('invalid-request', 'A document is issued before it is recorded, and before it expires');
  end if;
  if p_day > today then
    perform app.refuse('invalid-request', 'occurredOn lies in the future');
  elsif p_day < (select max(occurred_on) from public.standing_events where case_id = c.id) then
    perform app.refuse('invalid-request', 'occurredOn is earlier than what happened before');
  end if;
  return step;
end $$;

-- As before, but for the last argument.
create or replace function app.check_proposal() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases; step public.lifecycle;
begin
  select * into c from public.cases where id = new.case_id for update;
  if c.id is null or not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  step := app.check_step(c, new.action, app.org(), new.facts, new.annuls, new.on_version, coalesce(new.occurred_on, app.today()), null);
  if not step.two_persons then perform app.refuse('action-not-allowed'); end if;
  update public.proposals set state = 'expired'
    where case_id = c.id and organisation_id = app.org() and state = 'open' and expires_on < app.today();
  new.organisation_id := app.org();
  new.proposed_by := app.account();
  new.proposed_at := app.now();
  new.stands_on := app.last_move(c.id);
  new.expires_on := app.term_end(app.today(), 'proposal_expiry');
  new.identity_version := app.identity_version(c.id);
  new.state := 'open';
  return new;
end $$;

-- As before; an event with a referral comes from a decision about it, whoever reaches the case meanwhile.
create or replace function app.check_event() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases; p public.proposals; target public.case_events; step public.lifecycle;
begin
  select * into c from public.cases where id = new.case_id for update;
  if c.id is null and not exists (select from public.lifecycle where action = new.action and from_state = '')
    or c.id is not null and new.referral_id is null and not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if new.proposal_id is not null then
    p := app.settleable(new.proposal_id);
    if p.case_id <> new.case_id or p.action <> new.action then perform app.refuse('not-found'); end if;
    if p.proposed_by = app.account() then perform app.refuse('same-person'); end if;
    if p.stands_on <> app.last_move(c.id) or p.identity_version is distinct from app.identity_version(c.id) then
      perform app.refuse('action-not-allowed', 'The case, or what is known of the person, has changed since this was proposed');
    elsif not exists (select from public.accounts where id = p.proposed_by and status = 'active') then
      perform app.refuse('proposal-settled');
    end if;
    new.facts := p.facts;
    new.annuls := p.annuls;
    new.occurred_on := p.occurred_on;
    new.on_version := null;
  end if;
  new.organisation_id := coalesce(p.organisation_id, app.org(), (select r.from_id from public.referrals r where r.id = new.referral_id));
  new.account_id := app.account();
  new.occurred_on := coalesce(new.occurred_on, app.today());
  step := app.check_step(c, new.action, new.organisation_id, new.facts, new.annuls, new.on_version, new.occurred_on, new.referral_id);
  if step.two_persons and p.id is null then perform app.refuse('two-persons-required'); end if;
  select * into target from public.case_events where id = new.annuls;
  new.id := uuidv7(); -- behind the lock, so that ids stand in the order of what happened
  new.from_state := step.from_state;
  new.to_state := case when target.from_state <> target.to_state then target.from_state else step.to_state end;
  new.recorded_at := clock_timestamp();
  new.facts := new.facts || app.effects(step, new.facts, new.occurred_on,
    coalesce(c.owner_id, (new.facts ->> 'owner')::uuid, new.organisation_id), coalesce(new.facts ->> 'outcome', c.outcome));
  return new;
end $$;

-- Who handles a case sees its identity by statute, and so does the committee above it, for as long as it does: whatever it was
-- given beside that goes with it. `p_next`: who handles it from then on. A committee sees what its divisions own in any case.
create function app.leave_case(p_case uuid, p_handler uuid, p_next uuid, p_reason text) returns void
language sql security definer set search_path = '' as $$
  select app.close_grants(array(
    select g.id from public.grants g join public.organisations h on h.id = p_handler join public.organisations o on o.id = g.owner_id
    where g.case_id = p_case and g.closed_at is null and g.recipient_id <> g.owner_id and (g.recipient_id = h.id
      or g.recipient_id = h.parent_id and g.basis = 'statute' and h.parent_id is distinct from o.parent_id
        and h.parent_id is distinct from (select n.parent_id from public.organisations n where n.id = p_next))), p_reason)
$$;

-- Offers that have become void are recalled, with what came with them.
create function app.recall_offers(p_referrals uuid[]) returns void language sql security definer set search_path = '' as $$
  update public.referrals set state = 'recalled', settled_at = app.now(), version = version + 1 where id = any (p_referrals);
  select app.close_grants(array(select grant_id from public.referrals where id = any (p_referrals) and grant_id is not null), 'recalled');
  select app.finish_tasks('answer_referral', null, id) from unnest(p_referrals) id
$$;

-- The owner's own legal basis is its grant; the committee of a division that owns sees index and identity, by statute. So
-- do a handler and its committee, by the law of the procedure.
create or replace function app.open_and_close_grants() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from written where action in ('reopen', 'withdraw', 'return', 'hand_over')) then
    perform app.close_grants(array(
      select g.id from public.grants g join written w on w.case_id = g.case_id
      where g.closed_at is null and case w.action when 'reopen' then g.recipient_id = g.owner_id and g.purpose = 'case_management'
        when 'withdraw' then g.recipient_id <> g.owner_id and g.basis <> 'statute' else false end),
      (select case action when 'reopen' then 'renewed' else 'withdrawn' end from written limit 1));
    perform app.leave_case(w.case_id, c.handler_id, (w.facts ->> 'handler')::uuid,
        case w.action when 'return' then 'returned' when 'hand_over' then 'handed_over' else 'reopened' end)
      from written w join public.cases c on c.id = w.case_id
      where w.action in ('return', 'hand_over', 'reopen') and c.handler_id <> c.owner_id;
  end if;
  if exists (select from written where action in ('withdraw', 'close', 'return')) then
    perform app.recall_offers(array(select r.id from public.referrals r join written w on w.case_id = r.case_id
      where r.state = 'offered' and case w.action when 'return' then r.kind = 'hand_over' else w.action in ('withdraw', 'close') end));
  end if;
  if not exists (select from written where facts ? 'basis' or action in ('accept', 'hand_over')) then return null; end if;
  insert into public.grants (case_id, owner_id, giver_id, recipient_id, purpose, zones, basis, legal_reference, method, language, form_version,
      representative, opened_at, given_by)
    select w.case_id, c.owner_id, c.owner_id, o.id, 'case_management', '{identity,contact,whereabouts,protection}', (b ->> 'kind')::public.basis,
      b ->> 'legalReference', b ->> 'method', b ->> 'language', b ->> 'formVersion', b ->> 'representative', app.now(), w.account_id
    from written w join public.cases c on c.id = w.case_id join public.organisations o on o.id = c.owner_id,
      lateral (select w.facts -> 'basis' as b) basis
    where b is not null
    union all
    select w.case_id, c.owner_id, c.owner_id, o.id, p.purpose, p.legal_zones, 'statute',
      coalesce(w.facts #>> '{basis,legalReference}', p.legal_basis), null, null, null, null, app.now(), w.account_id
    from written w join public.cases c on c.id = w.case_id
      join public.purposes p on p.purpose = 'status_determination'
      join public.organisations h on h.id = case when w.facts ? 'basis' then c.owner_id else (w.facts ->> 'handler')::uuid end
      join public.organisations o on o.id = h.parent_id or o.id = h.id and not w.facts ? 'basis'
    where (w.facts ? 'basis' and (w.from_state = '' or w.action = 'transfer') or w.action in ('accept', 'hand_over'))
      and not exists (select from public.grants g where g.case_id = w.case_id and g.recipient_id = o.id and g.basis = 'statute' and g.closed_at is null);
  return null;
end $$;

-- Another organisation goes on with the case: owner, assignee, what is offered and what is to be done move to it at once, and
-- what the former one kept the file by ends.
create function app.move_owner() returns trigger language plpgsql security definer set search_path = '' as $$
declare w record;
begin
  for w in select t.case_id, t.account_id, c.owner_id as former, t.organisation_id as owner
      from written t join public.cases c on c.id = t.case_id where t.action = 'transfer' loop
    perform app.close_grants(array(select id from public.grants
      where case_id = w.case_id and recipient_id = w.former and closed_at is null), 'transferred');
    perform app.recall_offers(array(select id from public.referrals
      where case_id = w.case_id and to_id = w.owner and state = 'offered'));
    update public.cases set owner_id = w.owner, assignee_id = w.account_id where id = w.case_id;
    update public.grants set owner_id = w.owner where case_id = w.case_id;
    perform app.leave_case(w.case_id, w.former, w.owner, 'transferred');
    update public.referrals set owner_id = w.owner where case_id = w.case_id;
    update public.referrals set from_id = w.owner, offered_by = w.account_id
      where case_id = w.case_id and state = 'offered' and from_id = w.former;
    update public.tasks set organisation_id = w.owner, assignee_id = case when assignee_id is not null then w.account_id end
      where case_id = w.case_id and organisation_id = w.former and done_at is null;
    update public.proposals set state = 'expired' where case_id = w.case_id and organisation_id = w.former and state = 'open';
  end loop;
  return null;
end $$;

revoke execute on function app.check_step(public.cases, text, uuid, jsonb, uuid, int, date, uuid), app.leave_case(uuid, uuid, uuid, text),
  app.recall_offers(uuid[]), app.move_owner() from public;
grant execute on function app.move_owner() to session_user; -- as long as it takes to hang it up
reset role;
create trigger then_2_move_owner after insert on case_events referencing new table as written
  for each statement execute function app.move_owner();
set local role definer;
revoke execute on function app.move_owner() from session_user;
reset role;
revoke create on schema app from definer;
-- Another assignee is another version of the case; with another owner the event says so.
drop trigger keep_version on cases;
create trigger keep_version before update of assignee_id on cases for each row when (old.owner_id = new.owner_id)
  execute function app.keep_version();

-- Offers a case, if the caller may: as its owner or handler, to an organisation that this kind is for. What the person agreed
-- to share comes with it and opens with its acceptance; a transfer brings what its new owner keeps the file by.
create function app.offer_referral(offered public.referrals, typed jsonb, shared public.grants, shared_typed jsonb, born date,
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
  if typed <> '{}' then insert into public.referral_texts values (offered.id, 'offer', app.org(), typed); end if;
  perform app.make_task('answer_referral', recipient.id, null, null, offered.id, app.term_end(app.today(), 'acknowledge_submission'));
  if rule.actions ? 'offer' then
    insert into public.case_events (case_id, action, referral_id) values (c.id, rule.actions ->> 'offer', offered.id);
  end if;
end $$;

-- What a decision is to the case: an action of the lifecycle, or nothing.
create function app.action_of(r public.referrals, p_decision text) returns text language sql stable security definer set search_path = '' return (
  select u.actions ->> p_decision from public.referral_rules u join public.organisations o on o.id = r.from_id
  where u.kind = r.kind and o.kind = any (u.senders));
-- What the caller may decide about a referral now.
create function app.allowed_decisions(r public.referrals) returns text[] language sql stable security definer set search_path = '' return (
  select coalesce(array_agg(d.decision order by d.decision), '{}') from public.referral_decisions d, public.cases c,
    lateral (select case app.org() when r.to_id then 'recipient' when r.from_id then 'sender' end as party, app.action_of(r, d.decision) as action) mine
  where c.id = r.case_id and r.kind = any (d.kinds) and d.from_state = r.state and d.party = mine.party
    and (r.state <> 'offered' or r.expires_at > app.now())
    and (mine.action is null or exists (select from public.lifecycle l where l.action = mine.action and l.from_state = c.state
      and l.relations && (app.relations(app.org(), c.owner_id, c.handler_id) || mine.party))));
-- The same for one that the caller sees.
create function app.decidable(p_referral uuid) returns text[] language sql stable security definer set search_path = '' return coalesce(
  (select app.allowed_decisions(r) from public.referrals r where r.id = p_referral), '{}');

-- What a decision makes of a referral: of its grant, and of the case by the event that goes with it.
create function app.settle_referral(r public.referrals, p_decision text, p_reason text, day date) returns void
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
    insert into public.event_texts (event_id, case_id, organisation_id, content) -- who was there when the person agreed to it
      select e.id, e.case_id, e.organisation_id, t.content - 'message' from public.case_events e join public.referral_texts t on t.referral_id = r.id
      where e.referral_id = r.id and e.action = moved and r.basis is not null and t.decision = 'offer' and t.content - 'message' <> '{}';
  end if;
end $$;

-- Decides about a referral, if the caller may now.
create function app.decide_referral(p_referral uuid, p_version int, p_decision text, p_reason text, typed jsonb) returns void
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
  if typed <> '{}' then insert into public.referral_texts values (r.id, p_decision, app.org(), typed); end if;
  perform app.settle_referral(r, p_decision, p_reason, null);
  perform app.look_at(r.case_id);
end $$;

-- Offers that nobody accepted in time are over since then; their cases go back, dated to the day on which they expired. And
-- nobody confirms any more what has run out.
create function app.expire_referrals(p_limit int) returns int language plpgsql security definer set search_path = '' as $$
declare r public.referrals; due public.referrals[]; held uuid[] := array(
    select f.id from public.cases c join public.referrals f on f.case_id = c.id where f.state = 'offered' and f.expires_at <= app.now()
    order by f.expires_at limit p_limit for update of c skip locked);
begin
  due := array(select f from public.referrals f where f.id = any (held) and f.state = 'offered' order by f.id for update);
  perform app.finish_tasks('confirm_vital_interest', g.id, null) from public.tasks t join public.grants g on g.id = t.grant_id
    where t.kind = 'confirm_vital_interest' and t.done_at is null and g.valid_until <= app.now();
  if due = '{}' then return 0; end if;
  perform app.tell('referral.expire', jsonb_build_object('cases', (select jsonb_agg(distinct f.case_id) from unnest(due) f)));
  foreach r in array due loop
    perform app.settle_referral(r, 'expire', null, greatest(r.expires_on,
      (select max(occurred_on) from public.standing_events where case_id = r.case_id)));
  end loop;
  return cardinality(due);
end $$;

-- As before; and whoever looked at a case, or decided about it, without being told which one has it in their entry all the same.
create or replace function app.write_entry(p_operation text, p_said jsonb) returns void language plpgsql as $$
declare
  at timestamptz := clock_timestamp(); actor jsonb := app.actor(); looked text := nullif(current_setting('app.looked', true), '');
  cases uuid[] := array(select jsonb_array_elements_text(p_said -> 'cases')::uuid union select string_to_table(looked, ',')::uuid);
  said jsonb := case when looked is null then p_said else p_said || jsonb_build_object('cases', cases) end;
  opened public.zone[] := (select array_agg(z) from jsonb_array_elements_text(said -> 'zones') z);
begin
  insert into public.entries (id, at, operation, outcome, account_id, organisation_id, case_ids, content)
  values (app.entry(), at, p_operation, 'done', (actor ->> 'account')::uuid, (actor ->> 'organisation')::uuid, cases,
    convert_to((jsonb_strip_nulls(jsonb_build_object('id', app.entry(), 'at', app.rfc3339(at), 'operation', p_operation, 'outcome', 'done',
      'account', actor -> 'account', 'organisation', actor -> 'organisation', 'session', actor -> 'session', 'roles', actor -> 'roles',
      'grants', (select jsonb_agg(g.id order by g.id) from public.open_grants g
        where g.case_id = any (cases) and (opened is null or g.zones && opened)))) || said)::text, 'UTF8'));
end $$;

grant execute on function app.settle_referral(referrals, text, text, date), app.action_of(referrals, text), app.allowed_decisions(referrals),
  app.look_at(uuid), app.tell(text, jsonb), app.write_entry(text, jsonb) to definer;
grant select on open_grants to definer; -- of nobody, for the entry of what the clock does
grant execute on function app.decidable(uuid), app.referred(uuid), app.referrals_of(uuid),
  app.offer_referral(referrals, jsonb, grants, jsonb, date, int),
  app.decide_referral(uuid, int, text, text, jsonb), app.expire_referrals(int) to app;
call app.define(array[
  'app.referred(uuid)',
  'app.referrals_of(uuid)',
  'app.offer_referral(referrals,jsonb,grants,jsonb,date,int)',
  'app.action_of(referrals,text)',
  'app.allowed_decisions(referrals)',
  'app.decidable(uuid)',
  'app.settle_referral(referrals,text,text,date)',
  'app.decide_referral(uuid,int,text,text,jsonb)',
  'app.expire_referrals(int)'
]::regprocedure[]);
