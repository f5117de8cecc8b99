-- Referrals: offers of a case to another organisation, and the decisions about them.

-- The case and the grant of a referral, for a caller who may know them: one who can read the case and belongs to its
-- owner, the sender, or a recipient that has accepted. No row for others. Adds the case to the audit entry in any case.
create function app.referred(p_referral uuid) returns table (case_id uuid, grant_id uuid)
language plpgsql security definer set search_path = '' as $$
declare r public.referrals;
begin
  select * into r from public.referrals f where f.id = p_referral;
  perform app.look_at(r.case_id);
  if app.reaches(r.case_id) and (app.org() in (r.owner_id, r.from_id)
      or r.to_id = app.org() and r.state in ('accepted', 'ended')) then
    return query select r.case_id, r.grant_id;
  end if;
end $$;
grant execute on function app.referred(uuid) to app;

-- The referrals of a case, for a caller who can read it: its owner, their senders, and recipients that have accepted.
create function app.referrals_of(p_case uuid) returns setof uuid
language sql stable security definer set search_path = '' as $$
  select r.id from public.referrals r
  where r.case_id = p_case and app.reaches(p_case)
    and (app.org() in (r.owner_id, r.from_id) or r.to_id = app.org() and r.state in ('accepted', 'ended'))
$$;
grant execute on function app.referrals_of(uuid) to app;

-- Recalls offers that have become void, closes their grants, and ends the tasks to answer them.
create function app.recall_offers(p_referrals uuid[]) returns void
language sql security definer set search_path = '' as $$
  update public.referrals set state = 'recalled', settled_at = app.now(), version = version + 1
  where id = any (p_referrals);
  select app.close_grants(
    array(select grant_id from public.referrals where id = any (p_referrals) and grant_id is not null), 'recalled');
  select app.finish_tasks('answer_referral', null, id) from unnest(p_referrals) id
$$;

-- After a transfer was recorded: makes the recipient the owner, and the account that accepted the assignee. Moves open
-- tasks and pending offers to the new owner, recalls offers to it, and ends proposals and grants of the former owner. A
-- custodian becomes the owner in the same way, without the tasks: it may not learn what they are about.
create function app.move_owner() returns trigger language plpgsql security definer set search_path = '' as $$
declare w record;
begin
  for w in
    select t.case_id, t.account_id, t.action, c.owner_id as former, t.organisation_id as owner
    from written t join public.cases c on c.id = t.case_id
    where t.action in ('transfer', 'entrust') loop
    perform app.close_grants(array(
      select id from public.grants
      where case_id = w.case_id and recipient_id = w.former and closed_at is null), 'transferred');
    perform app.recall_offers(array(
      select id from public.referrals where case_id = w.case_id and to_id = w.owner and state = 'offered'));
    update public.cases set owner_id = w.owner, assignee_id = w.account_id where id = w.case_id;
    update public.grants set owner_id = w.owner where case_id = w.case_id;
    perform app.leave_case(w.case_id, w.former, w.owner, 'transferred');
    update public.referrals set owner_id = w.owner where case_id = w.case_id;
    update public.referrals set from_id = w.owner, offered_by = w.account_id
      where case_id = w.case_id and state = 'offered' and from_id = w.former;
    update public.tasks
      set organisation_id = w.owner, assignee_id = case when assignee_id is not null then w.account_id end
      where case_id = w.case_id and organisation_id = w.former and done_at is null and w.action = 'transfer';
    update public.proposals set state = 'expired'
      where case_id = w.case_id and organisation_id = w.former and state = 'open';
  end loop;
  return null;
end $$;
create trigger then_2_move_owner after insert on case_events referencing new table as written
  for each statement execute function app.move_owner();

-- Offers a case to another organisation, and locks it. In typed: the sealed message; in shared, shared_typed and born:
-- the grant that comes with it (see app.give_grant); in agreed: the sealed text of the new basis of a transfer. Refuses
-- a caller, a case or a recipient that the rule of this kind does not allow, and an outdated version of the case.
create function app.offer_referral(offered public.referrals, typed bytea, agreed bytea, shared public.grants,
  shared_typed bytea, born date, on_version int) returns void
language plpgsql security definer set search_path = '' as $$
declare
  c public.cases; rule public.referral_rules; recipient public.organisations; instant timestamptz := app.now();
begin
  c := app.lock_case(offered.case_id);
  if c.id is null or not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  if app.version_of(c) <> on_version then perform app.refuse('precondition-failed'); end if;
  select r.* into rule from public.referral_rules r
    where r.kind = offered.kind and r.senders @> array[app.kind()::public.organisation_kind];
  if rule.kind is null
      or app.org() is distinct from (case rule.relation when 'owner' then c.owner_id else c.handler_id end) then
    perform app.refuse('forbidden', 'Your organisation cannot offer this case in this way');
  end if;
  if not c.state = any (rule.states) then perform app.refuse('action-not-allowed'); end if;
  if c.in_custody and rule.relation = 'owner' and offered.kind <> 'transfer' then
    perform app.refuse('action-not-allowed', 'The person has to agree first that you keep the file: renew_basis');
  end if;
  select * into recipient from public.organisations
    where id = offered.to_id and status = 'active' and id not in (app.org(), c.owner_id);
  if not coalesce(recipient.kind = any (rule.recipients), false) or recipient.id = c.handler_id
      or offered.kind = 'submission' and not exists (
        select from public.coverage where organisation_id = recipient.id and region_code = c.region_code) then
    perform app.refuse('invalid-request', 'Expected an organisation that this can be offered to', '#/to');
  end if;
  if (shared.id is null) <> (rule.purposes = '{}') then
    perform app.refuse('invalid-request', 'A submission and a service need a grant; other referrals have none',
      '#/grant');
  elsif shared.id is not null and not shared.purpose = any (rule.purposes) then
    perform app.refuse('invalid-request', 'Expected a purpose of this kind of referral', '#/grant/purpose');
  elsif offered.kind = 'submission' and not 'identity' = any (shared.zones) then
    perform app.refuse('invalid-request',
      'A submission needs the zone identity', '#/grant/zones');
  elsif (offered.basis is null) <> (offered.kind <> 'transfer') then
    perform app.refuse('invalid-request',
      'A transfer needs a basis; other referrals have none', '#/basis');
  end if;
  if c.in_custody then perform app.check_representative(c.id, offered.basis); end if;
  if coalesce(offered.expires_on < app.today(), false) then
    perform app.refuse('invalid-request', 'Expected a day from today on', '#/expiresOn');
  end if;
  offered.basis := app.with_form(offered.basis);
  offered.expires_on := coalesce(offered.expires_on, app.term_end(app.today(), 'referral_offer'));
  if shared.id is not null then
    shared.case_id := c.id; shared.recipient_id := recipient.id;
    perform app.give_grant(shared, shared_typed, born, false, '#/grant');
  end if;
  insert into public.referrals (id, kind, case_id, owner_id, from_id, to_id, grant_id, basis, region_code, category,
      child, zones, purpose, offered_at, offered_by, expires_on, expires_at)
    select offered.id, rule.kind, c.id, c.owner_id, app.org(), recipient.id, shared.id, offered.basis, c.region_code,
      c.category, offered.child, coalesce(shared.zones,
        case rule.relation when 'owner' then enum_range(null::public.zone) else p.legal_zones end),
      p.purpose, instant, app.account(), offered.expires_on, app.end_of(offered.expires_on)
    from public.purposes p
    where p.purpose = coalesce(shared.purpose,
      case rule.relation when 'owner' then 'case_management' else 'status_determination' end::public.purpose);
  if typed is not null then insert into public.referral_texts values (offered.id, 'offer', app.org(), typed); end if;
  if agreed is not null then insert into public.referral_texts values (offered.id, 'basis', app.org(), agreed); end if;
  perform app.make_task('answer_referral', recipient.id, null, null, offered.id,
    app.term_end(app.today(), 'acknowledge_submission'));
  if rule.actions ? 'offer' then
    insert into public.case_events (case_id, action, referral_id) values (c.id, rule.actions ->> 'offer', offered.id);
  end if;
end $$;
grant execute on function app.offer_referral(referrals, bytea, bytea, grants, bytea, date, integer) to app;

-- The action of the lifecycle that a decision about this referral takes with its case; null if it takes none.
create function app.action_of(r public.referrals, p_decision text) returns text
language sql stable security definer set search_path = '' return (
  select u.actions ->> p_decision from public.referral_rules u join public.organisations o on o.id = r.from_id
  where u.kind = r.kind and o.kind = any (u.senders));

-- The decisions that the caller's organisation may take about a referral now; empty if it is not a party.
create function app.allowed_decisions(r public.referrals) returns text[]
language sql stable security definer set search_path = '' return (
  select coalesce(array_agg(d.decision order by d.decision), '{}')
  from public.referral_decisions d, public.cases c, lateral (
    select case app.org() when r.to_id then 'recipient' when r.from_id then 'sender' end as party,
      app.action_of(r, d.decision) as action) mine
  where c.id = r.case_id and r.kind = any (d.kinds) and d.from_state = r.state and d.party = mine.party
    and (r.state <> 'offered' or r.expires_at > app.now())
    and (d.decision <> 'accept' or exists (
      select from public.organisations o where o.id = r.to_id and o.status = 'active'))
    and (mine.action is null or exists (select from public.lifecycle l
      where l.action = mine.action and l.from_state = c.state
        and l.relations && (app.relations(app.org(), c.owner_id, c.handler_id, c.in_custody) || mine.party))));

-- The decisions that the caller's organisation may take about the referral with this id now, for replies.
create function app.decidable(p_referral uuid) returns text[]
language sql stable security definer set search_path = '' return coalesce(
  (select app.allowed_decisions(r) from public.referrals r where r.id = p_referral), '{}');
grant execute on function app.decidable(uuid) to app;

-- Carries out a decision: settles the referral, opens or closes its grant, and inserts the event that follows from the
-- decision, on this day (null: today). The event of a transfer gets the sealed text of the new basis.
create function app.settle_referral(r public.referrals, p_decision text, p_reason text, day date) returns void
language plpgsql security definer set search_path = '' as $$
declare
  d public.referral_decisions; c public.cases; moved text := app.action_of(r, p_decision);
begin
  select * into c from public.cases where id = r.case_id;
  select * into d from public.referral_decisions where decision = p_decision;
  update public.referrals
    set state = d.to_state, reason = p_reason, settled_at = app.now(), settled_by = app.account(), version = version + 1
    where id = r.id;
  perform app.finish_tasks('answer_referral', null, r.id);
  if d.grants = 'open' then
    update public.grants set opened_at = app.now(), version = version + 1 where id = r.grant_id and closed_at is null;
  elsif d.grants = 'close' then
    perform app.close_grants(array[r.grant_id], d.to_state);
  end if;
  if moved is not null then
    insert into public.case_events (case_id, action, occurred_on, referral_id, facts)
      select c.id, moved, day, r.id, coalesce(jsonb_object_agg(f.fact, f.said), '{}')
      from public.lifecycle l, lateral (values
        ('handler', case when moved <> 'transfer' or c.handler_id = c.owner_id then to_jsonb(r.to_id) end),
        ('owner', to_jsonb(r.to_id)),
        ('basis', r.basis),
        ('reason', to_jsonb(p_reason))) f(fact, said)
      where l.action = moved and l.from_state = c.state and f.fact = any (l.facts) and f.said is not null;
    insert into public.event_texts (id, event_id, case_id, organisation_id, content)
      select r.id, e.id, e.case_id, e.organisation_id, t.content
      from public.case_events e join public.referral_texts t on t.referral_id = r.id
      where e.referral_id = r.id and e.action = moved and r.basis is not null and t.decision = 'basis';
  end if;
end $$;

-- Takes the caller's decision about a referral; locks the case and the referral. Refuses a referral that the caller
-- cannot see, an outdated version, a decision of the other party or of another state, one that the case does not allow
-- now, and one that lacks its reason.
create function app.decide_referral(p_referral uuid, p_version int, p_decision text, p_reason text, typed bytea)
returns void language plpgsql security definer set search_path = '' as $$
declare r public.referrals; d public.referral_decisions;
begin
  perform app.lock_case(case_id) from public.referrals where id = p_referral;
  select * into r from public.referrals where id = p_referral for update;
  if r.id is null or not (app.org() = r.to_id or app.org() = r.owner_id and app.reaches(r.case_id)
      or app.org() = r.from_id -- the rule of the policy
        and (app.has_role('supervisor') or not app.had_custody_only(r.case_id))
        and (r.state not in ('accepted', 'ended') or r.kind = 'transfer' or app.reaches(r.case_id))) then
    perform app.refuse('not-found');
  end if;
  if r.version <> p_version then perform app.refuse('precondition-failed'); end if;
  select * into d from public.referral_decisions where decision = p_decision and r.kind = any (kinds);
  if d.decision is null
      or d.party is distinct from (case app.org() when r.to_id then 'recipient' when r.from_id then 'sender' end) then
    perform app.refuse('forbidden', 'Your organisation cannot make this decision');
  elsif d.from_state <> r.state or r.state = 'offered' and r.expires_at <= app.now() then
    perform app.refuse('referral-over');
  elsif not p_decision = any (app.allowed_decisions(r)) then
    perform app.refuse('action-not-allowed');
  elsif p_decision = 'accept'
      and exists (select from public.grants g where g.id = r.grant_id and g.suspended_for <> '{}') then
    perform app.refuse('action-not-allowed', 'The sender has to renew the consent of the person first');
  end if;
  if d.needs_reason and p_reason is null then
    perform app.refuse('invalid-request', 'Missing: this decision needs a reason', '#/reason');
  end if;
  if typed is not null then insert into public.referral_texts values (r.id, p_decision, app.org(), typed); end if;
  perform app.settle_referral(r, p_decision, p_reason, null);
  perform app.look_at(r.case_id);
end $$;
grant execute on function app.decide_referral(uuid, integer, text, text, bytea) to app;

-- Called by the service at intervals: expires up to p_limit offers whose term is over, with an audit entry, and returns
-- their number. Dates the events to the last day of the offer, or to the latest event if that is later. Also ends the
-- tasks about grants of vital interest and of custody that have expired.
create function app.expire_referrals(p_limit int) returns int
language plpgsql security definer set search_path = '' as $$
declare
  r public.referrals; due public.referrals[];
  held uuid[] := array(
    select f.id from public.cases c join public.referrals f on f.case_id = c.id
    where f.state = 'offered' and f.expires_at <= app.now()
    order by f.expires_at limit p_limit for update of c skip locked);
begin
  due := array(
    select f from public.referrals f where f.id = any (held) and f.state = 'offered' order by f.id for update);
  perform app.finish_tasks(t.kind, g.id, null)
    from public.tasks t join public.grants g on g.id = t.grant_id
    where t.kind in ('confirm_vital_interest', 'ask_person') and t.done_at is null and g.valid_until <= app.now();
  if due = '{}' then return 0; end if;
  perform app.write_own_entry('referral.expire',
    jsonb_build_object('cases', (select jsonb_agg(distinct f.case_id) from unnest(due) f)));
  foreach r in array due loop
    perform app.settle_referral(r, 'expire', null, greatest(r.expires_on,
      (select max(occurred_on) from public.valid_events where case_id = r.case_id)));
  end loop;
  return cardinality(due);
end $$;
grant execute on function app.expire_referrals(integer) to app;

-- A referral is read, without its case and grant, by the owner of the case, the recipient and the sender. Only
-- functions write it. A sender other than the owner reads an accepted one while it can read the case, and an accepted
-- transfer always, because nothing changes it later.
grant select (id, kind, from_id, to_id, region_code, category, child, zones, purpose, state, reason, offered_at,
  offered_by, expires_on, expires_at, settled_at, settled_by, version) on referrals to app;
create policy seen on referrals for select to app using (
  to_id = (select app.org())
  or owner_id = (select app.org()) and (select true from case_access a where a.case_id = referrals.case_id limit 1)
  or from_id = (select app.org())
    and ((select app.has_role('supervisor')) or not app.had_custody_only(case_id))
    and (state not in ('accepted', 'ended') or kind = 'transfer'
      or (select true from case_access a where a.case_id = referrals.case_id limit 1)));

-- The texts of a referral are read by its sender and its recipient. Only functions write them.
grant select on referral_texts to app;
create policy seen on referral_texts for select to app using (exists (
  select from referrals r where r.id = referral_id and (select app.org()) in (r.from_id, r.to_id)));
create trigger keep_history before update or delete on referral_texts for each row execute function app.keep_history();
