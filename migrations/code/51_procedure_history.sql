-- Decisions and identity documents.

-- After events were inserted: stores a decision, with the text of its proposal, for each outcome that decided a case.
create function app.keep_decisions() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where to_state = 'decided' and facts ? 'outcome') then return null; end if;
  insert into public.decisions (event_id, case_id, identity_version, outcome, country, legal_reference, reason, text_id,
      content, final_on)
    select w.id, w.case_id, p.identity_version, f ->> 'outcome', f ->> 'country', f ->> 'legalReference',
      f ->> 'reason', p.id, p.content, (f ->> 'finalOn')::date
    from written w left join public.proposals p on p.id = w.proposal_id, lateral (select w.facts as f) facts
    where w.to_state = 'decided' and f ? 'outcome';
  return null;
end $$;
create trigger then_4_keep_decisions after insert on case_events referencing new table as written
  for each statement execute function app.keep_decisions();

-- The case that has this number of this type in the register of an organisation: its own, or that of its committee.
-- Null if there is none. Asks no other register.
create function app.number_holder(p_organisation uuid, p_type text, p_number_hmac bytea) returns uuid
language sql stable security definer set search_path = '' return (
  select d.case_id
  from public.documents d join public.organisations o on d.committee_id in (o.id, o.parent_id)
  where o.id = p_organisation and d.type = p_type and d.number_hmac = p_number_hmac and not d.annulled);

-- The case that has the number of a proposed document in the register already; null if there is none. Only for a caller
-- who may confirm the proposal: the register answers to two persons and leaves an entry about the case that it names.
create function app.holder_of_proposed(p_proposal uuid) returns uuid
language sql stable security definer set search_path = '' return (
  select app.number_holder(p.organisation_id, p.facts ->> 'documentType', decode(p.facts ->> 'numberHmac', 'hex'))
  from public.proposals p
  where p.id = p_proposal and app.has_role('supervisor') and app.own_or_division(p.organisation_id)
    and p.proposed_by <> app.account() and p.state = 'open' and app.reaches(p.case_id));
grant execute on function app.holder_of_proposed(uuid) to app;

-- Decisions and documents are read by every organisation to which the identity is open. Only functions write them.
grant select on decisions to app;
create policy seen on decisions for select to app using (
  (select true from case_access a where a.case_id = decisions.case_id and a.identity_until > app.now() limit 1));
grant select on documents to app;
create policy seen on documents for select to app using (
  (select true from case_access a where a.case_id = documents.case_id and a.identity_until > app.now() limit 1));
