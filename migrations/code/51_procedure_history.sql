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

-- True if the register of the caller (its own or its committee's) has this number of this type. Asks no other register.
create function app.in_register(p_type text, p_number_hmac bytea) returns boolean
language sql stable security definer set search_path = '' return exists (
  select from public.documents d
  where d.committee_id in (app.org(), app.parent()) and d.type = p_type and d.number_hmac = p_number_hmac
    and not d.annulled);
grant execute on function app.in_register(text, bytea) to app;

-- Decisions and documents are read by every organisation to which the identity is open. Only functions write them.
grant select on decisions to app;
create policy seen on decisions for select to app using (
  (select true from case_access a where a.case_id = decisions.case_id and a.identity_until > app.now() limit 1));
grant select on documents to app;
create policy seen on documents for select to app using (
  (select true from case_access a where a.case_id = documents.case_id and a.identity_until > app.now() limit 1));
