-- What must hold in every database. Returns a row for each fault: a name, and ids without personal data. It returns
-- none unless somebody has changed the data past the service and its triggers. One statement, so that it reads the
-- database at one instant, also while the service runs. Run as the owner of the database.
with
first_events as (select * from case_events where from_state = ''),
-- Each event with a basis opens one grant of the owner, and they have the same order.
said_bases as (
  select e.case_id, e.id, e.facts -> 'basis' as b, e.account_id,
    row_number() over (partition by e.case_id order by e.id) as n,
    coalesce((e.facts ->> 'owner')::uuid, (
      select (o.facts ->> 'owner')::uuid from case_events o
      where o.case_id = e.case_id and o.id < e.id and o.facts ? 'owner'
      order by o.id desc limit 1), f.organisation_id) as owner
  from case_events e join first_events f using (case_id)
  where e.facts ? 'basis'),
kept_bases as (
  select *, row_number() over (partition by case_id order by id) as n from grants where purpose = 'case_management'),
owners as ( -- all organisations that have owned a case
  select case_id, organisation_id as owner from first_events where not facts ? 'owner'
  union
  select case_id, (facts ->> 'owner')::uuid from case_events where facts ? 'owner'),
handlers as ( -- all organisations that have handled a case
  select distinct case_id, (facts ->> 'handler')::uuid as handler from case_events
  where facts ->> 'handler' is not null),
shares as (
  select g.*, p.recipients, p.legal_zones, o.kind as recipient_kind
  from grants g join purposes p using (purpose) join organisations o on o.id = g.recipient_id
  where g.purpose <> 'case_management'),
access as (
  select recipient_id as organisation_id, case_id,
    coalesce(max(valid_until) filter (where basis <> 'custody'), '-infinity') as until,
    coalesce(max(valid_until) filter (where 'identity' = any (zones)), '-infinity') as identity_until,
    coalesce(max(valid_until) filter (where 'contact' = any (zones) and basis <> 'custody'), '-infinity')
      as contact_until,
    coalesce(max(valid_until) filter (where 'whereabouts' = any (zones)), '-infinity') as whereabouts_until,
    coalesce(max(valid_until) filter (where 'protection' = any (zones)), '-infinity') as protection_until,
    coalesce(max(valid_until) filter (where basis = 'custody'), '-infinity') as custody_until
  from grants
  where closed_at is null and opened_at is not null and suspended_for = '{}'
  group by 1, 2),
folded as (
  select case_id, app.merged(facts order by id) as f,
    (array_agg(to_state order by id desc) filter (where from_state <> to_state))[1] as state,
    (array_agg(organisation_id order by id))[1] as registered_by
  from valid_events
  group by case_id),
settled as ( -- who decided what somebody else had asked for
  select 'proposal' as what, id, case_id, proposed_by as first, settled_by as second, settled_at as at, false as ever
  from proposals where state = 'confirmed'
  union all
  select 'grant', id, case_id, given_by, confirmed_by, confirmed_at, false from grants where confirmed_at is not null
  union all
  select 'erasure', id, case_id, requested_by, settled_by, settled_at, true
  from erasures where state in ('approved', 'done') and run_id is null
  union all
  select 'retentionRun', id, null, requested_by, settled_by, settled_at, true
  from retention_runs where state = 'approved'),
referral_events as (
  select r.id, r.case_id, array_agg(e.action) filter (where e.action is not null) as actions
  from referrals r left join case_events e on e.referral_id = r.id and e.case_id = r.case_id
  group by r.id)

-- Access: who can read a case, and why.
select
  case
    when g.case_id is null then 'access-without-grant'
    when a.case_id is null then 'grant-without-access'
    else 'access-differs-from-grants' end as finding,
  jsonb_build_object('case', case_id, 'organisation', organisation_id) as ids
from case_access a full join access g using (organisation_id, case_id)
where (a.until, a.identity_until, a.contact_until, a.whereabouts_until, a.protection_until, a.custody_until)
  is distinct from (
    g.until, g.identity_until, g.contact_until, g.whereabouts_until, g.protection_until, g.custody_until)
union all
select 'access-in-another-state', jsonb_build_object('case', c.id, 'organisation', a.organisation_id)
from case_access a join cases c on c.id = a.case_id
where a.state <> c.state
union all
select case when g.id is null then 'basis-without-grant' else 'basis-without-event' end,
  jsonb_build_object('case', case_id, 'grant', g.id, 'event', s.id)
from kept_bases g full join said_bases s using (case_id, n)
where (g.recipient_id, g.giver_id, g.given_by, g.basis::text, g.legal_reference, g.method, g.language, g.form_version,
    g.representative)
  is distinct from (s.owner, s.owner, s.account_id, s.b ->> 'kind', s.b ->> 'legalReference', s.b ->> 'method',
    s.b ->> 'language', s.b ->> 'formVersion', s.b ->> 'representative')
  or g.opened_at is null
union all
-- Grants by statute are for the handler and its committee, and for the committee of the owner.
select 'statute-without-procedure', jsonb_build_object('case', g.case_id, 'grant', g.id)
from shares g join cases c on c.id = g.case_id
where g.basis = 'statute' and (g.purpose <> 'status_determination' or not g.zones <@ g.legal_zones
  or g.recipient_kind not in ('division', 'committee')
  or not exists (select from handlers h join organisations o on o.id = h.handler
    where h.case_id = g.case_id and g.recipient_id in (o.id, o.parent_id)
    union all
    select from owners w join organisations o on o.id = w.owner
    where w.case_id = g.case_id and g.recipient_id = o.parent_id)
  or g.closed_at is null and not exists (select from organisations o
    where o.id = c.handler_id and g.recipient_id in (o.id, o.parent_id)
      or o.id = c.owner_id and g.recipient_id = o.parent_id))
union all
select 'consent-without-form', jsonb_build_object('case', g.case_id, 'grant', g.id)
from shares g
where g.basis = 'consent' and (num_nulls(g.method, g.language, g.form_version) > 0
  or not exists (select from consent_forms f where f.version = g.form_version))
union all
select 'purpose-not-for-recipient', jsonb_build_object('case', g.case_id, 'grant', g.id)
from shares g
where g.basis <> 'statute' and not g.recipient_kind = any (g.recipients)
union all
-- A grant is given by an account of its giver, which has owned the case or held a grant that may be given onward.
select 'grant-not-by-its-giver', jsonb_build_object('case', g.case_id, 'grant', g.id)
from shares g join accounts a on a.id = g.given_by
where g.basis <> 'statute' and (a.organisation_id <> g.giver_id or not case
  when g.parent_id is null then exists (select from owners o where o.case_id = g.case_id and o.owner = g.giver_id)
  else exists (select from grants p
    where p.id = g.parent_id and p.case_id = g.case_id and p.recipient_id = g.giver_id and p.onward
      and p.basis = 'consent' and p.purpose = g.purpose and p.zones @> g.zones and p.opened_at is not null) end)
union all
-- A grant that was given onward ends with the grant that it came from, at the latest.
select 'grant-outlives-its-parent', jsonb_build_object('case', g.case_id, 'grant', g.id, 'parent', p.id)
from grants g join grants p on p.id = g.parent_id
where g.closed_at is null and g.valid_until > least(p.closed_at, p.valid_until)
union all
-- A grant that was given onward is suspended with the grant that it came from.
select 'grant-under-a-suspended-one', jsonb_build_object('case', g.case_id, 'grant', g.id, 'parent', p.id)
from grants g join grants p on p.id = g.parent_id
where g.closed_at is null and p.closed_at is null and not g.suspended_for @> p.suspended_for
union all
-- The audit log has the request that gave the grant. The id of the grant has the time; clocks may differ by minutes.
select 'grant-without-entry', jsonb_build_object('case', g.case_id, 'grant', g.id)
from shares g
where g.basis <> 'statute' and not exists (select from entries n
  where n.case_ids @> array[g.case_id] and n.account_id = g.given_by and n.outcome = 'done'
    and n.operation in ('registerCase', 'giveGrant', 'offerReferral')
    and n.at between uuid_extract_timestamp(g.id) - interval '5 minutes'
      and uuid_extract_timestamp(g.id) + interval '5 minutes')
union all
select 'vital-interest-by-one-person', jsonb_build_object('case', g.case_id, 'grant', g.id)
from shares g
where g.basis = 'vital_interest' and (g.confirmed_by = g.given_by
  or g.confirmed_by is null and g.valid_until > g.given_at + app.term('vital_interest_confirmation'))
union all
-- Two accounts are not two people if one made the code or gave the roles of the other.
select 'decided-by-one-person', jsonb_build_object('case', s.case_id, s.what, s.id)
from settled s
where s.ever and s.first = s.second or exists (
  select from account_controls c
  where (c.account_id, c.controller_id) in ((s.first, s.second), (s.second, s.first))
    and c.at <= s.at and (s.ever or c.at + app.term('two_people') > s.at))
union all
select 'enrolled-by-one-person', jsonb_build_object('account', account_id)
from enrolments
where needs_second and used_at is not null and (confirmed_by is null or confirmed_by = made_by)
union all
select 'open-without-acceptance', jsonb_build_object('case', g.case_id, 'grant', g.id, 'referral', r.id)
from shares g left join referrals r on r.grant_id = g.id
where (g.opened_at is not null) <> (r.id is null or r.state in ('accepted', 'ended'))
  or r.case_id <> g.case_id or r.to_id <> g.recipient_id or r.zones <> g.zones or r.purpose <> g.purpose

union all
-- Events: what happened to a case, and by whom.
select 'event-outside-lifecycle', jsonb_build_object('case', e.case_id, 'event', e.id)
from case_events e left join lifecycle l using (action, from_state)
where l.action is null or l.by_referral <> (e.referral_id is not null)
union all
select 'one-person-instead-of-two', jsonb_build_object('case', e.case_id, 'event', e.id, 'proposal', p.id)
from case_events e join lifecycle l using (action, from_state) left join proposals p on p.id = e.proposal_id
where (l.two_persons or e.proposal_id is not null) and not coalesce(p.state = 'confirmed' and p.case_id = e.case_id
  and p.action = e.action and p.proposed_by <> p.settled_by and p.settled_by = e.account_id
  and p.organisation_id = e.organisation_id and e.facts @> p.facts and p.annuls is not distinct from e.annuls, false)
union all
select 'proposal-without-event', jsonb_build_object('case', p.case_id, 'proposal', p.id)
from proposals p
where p.state = 'confirmed' and not exists (select from case_events e where e.proposal_id = p.id)
union all
select 'decision-without-event', jsonb_build_object('case', d.case_id, 'event', d.event_id)
from decisions d join case_events e on e.id = d.event_id
where e.case_id <> d.case_id or e.to_state <> 'decided' or e.facts ->> 'outcome' is distinct from d.outcome
union all
select 'document-without-event', jsonb_build_object('case', d.case_id, 'event', d.event_id)
from documents d join case_events e on e.id = d.event_id
where e.case_id <> d.case_id or e.action not in ('record_document', 'import_documented')
  or e.facts ->> 'documentType' is distinct from d.type
union all
select 'event-without-entry', jsonb_build_object('case', e.case_id, 'event', e.id)
from case_events e left join entries n on n.id = e.entry_id
where n.id is null or n.account_id is distinct from e.account_id or not e.case_id = any (n.case_ids)
union all
select 'case-differs-from-events', jsonb_build_object('case', c.id)
from cases c left join folded on folded.case_id = c.id
where (c.state, c.outcome, c.final_on, c.region_code, c.category, c.causes, c.handler_id, c.owner_id, c.waiting_for,
    c.waiting_since, c.due_on)
  is distinct from (folded.state, f ->> 'outcome', (f ->> 'finalOn')::date, f ->> 'region', f ->> 'category',
    array(select jsonb_array_elements_text(f -> 'causes')), (f ->> 'handler')::uuid,
    coalesce((f ->> 'owner')::uuid, folded.registered_by), nullif(f ->> 'waitingFor', 'nobody'),
    (f ->> 'waitingSince')::date, (f ->> 'dueOn')::date)
union all
select 'case-of-a-closed-organisation', jsonb_build_object('case', c.id, 'organisation', o.id)
from cases c join organisations o on o.id in (c.owner_id, c.handler_id)
where o.status = 'closed' and c.erased_at is null and c.state not in ('closed', 'withdrawn', 'merged')
union all
-- Erasures: what was erased is gone, and its holder has approved it.
select 'erased-but-kept', jsonb_build_object('case', c.id, 'erasure', e.id)
from erasures e join cases c on c.id = e.case_id
where e.state = 'done' and e.file and (c.erased_at is null or c.external_hmac is not null
  or exists (select from data_keys k where k.case_id = c.id and k.organisation_id is null)
  or exists (select from identifiers i where i.case_id = c.id)
  or exists (select from relations r where c.id in (r.case_id, r.other_id))
  or exists (select from zone_versions z where z.case_id = c.id and num_nonnulls(z.sex, z.birth_year) > 0))
union all
select 'erased-by-others', jsonb_build_object('case', e.case_id, 'erasure', e.id)
from erasures e join accounts a on a.id = e.settled_by
where e.state in ('approved', 'done') and (e.run_id is null and a.organisation_id <> e.holder_id
    and a.organisation_id not in (select s.id from app.stand_ins(e.holder_id) s)
  or e.run_id is not null and not exists (
    select from retention_runs r where r.id = e.run_id and r.state = 'approved' and r.settled_by = a.id))
union all
select 'erased-without-request', jsonb_build_object('case', c.id) from cases c
where c.erased_at is not null and not exists (
  select from erasures e where e.case_id = c.id and e.file and e.state in ('approved', 'done'))
union all
-- Referrals: the case has exactly the events that the offer and the decisions cause.
select 'referral-between-states', jsonb_build_object('case', r.case_id, 'referral', r.id)
from referrals r
  join referral_events e on e.id = r.id
  join organisations o on o.id = r.from_id
  join referral_rules u on u.kind = r.kind and o.kind = any (u.senders),
  lateral (
    select array_agg(value) filter (where key = 'offer'
      or key = 'accept' and r.state in ('accepted', 'ended') or key = 'return' and r.state = 'ended'
      or key = 'decline' and r.state = 'declined' or key = 'expire' and r.state = 'expired'
      -- An offer is recalled by its sender, or because the case was withdrawn.
      or key = 'recall' and r.state = 'recalled' and not exists (
        select from case_events w where w.case_id = r.case_id and w.action = 'withdraw')) as due
    from jsonb_each_text(u.actions)) d
where not (coalesce(e.actions, '{}') @> coalesce(d.due, '{}') and coalesce(d.due, '{}') @> coalesce(e.actions, '{}')
  or r.state = 'recalled' and 'recall' = any (e.actions) and e.actions <@ array['submit', 'recall'])
