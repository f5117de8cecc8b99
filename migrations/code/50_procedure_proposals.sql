-- Proposals: steps that take two persons.

-- Before a proposal is inserted: locks the case, checks the step as for an event, expires an older proposal whose term
-- is over, and sets everything that the caller does not choose. Refuses a case that the caller cannot read, what
-- app.check_step refuses, and a step that one person can take alone.
create function app.check_proposal() returns trigger language plpgsql security definer set search_path = '' as $$
declare c public.cases; step public.lifecycle;
begin
  c := app.lock_case(new.case_id);
  if c.id is null or not app.reaches(c.id) then perform app.refuse('not-found'); end if;
  step := app.check_step(c, new.action, app.org(), new.facts, new.annuls, new.on_version,
    coalesce(new.occurred_on, app.today()), null);
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
create trigger check_proposal before insert on proposals for each row execute function app.check_proposal();

-- Locks and returns an open proposal that the caller may settle: as a supervisor of its organisation, of the committee
-- above, or of an organisation that stands in. Refuses others, a case that the caller cannot read, and a proposal that
-- is settled or expired.
create function app.settleable(p_proposal uuid) returns public.proposals
language plpgsql security definer set search_path = '' as $$
declare p public.proposals;
begin
  perform app.lock_case(case_id) from public.proposals where id = p_proposal;
  select * into p from public.proposals where id = p_proposal for update;
  if p.id is null or not (app.reaches(p.case_id) and app.own_or_division(p.organisation_id)
      or app.stands_in(p.organisation_id, p.proposed_by, '{supervisor}', false)) then
    perform app.refuse('not-found');
  end if;
  if p.state <> 'open' or p.expires_on < app.today() then perform app.refuse('proposal-settled'); end if;
  if not app.has_role('supervisor') then perform app.refuse('forbidden'); end if;
  return p;
end $$;

-- Rejects a proposal and leaves the case as it is; the account that made it can withdraw it in this way. Refuses what
-- app.settleable refuses, and an outdated version.
create function app.reject_proposal(p_proposal uuid, p_version int, p_rejection bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare p public.proposals;
begin
  perform app.lock_case(case_id) from public.proposals where id = p_proposal;
  select * into p from public.proposals
    where id = p_proposal and proposed_by = app.account() and state = 'open' and expires_on >= app.today()
      and app.reaches(case_id) for update;
  if p.id is null then p := app.settleable(p_proposal); end if;
  if p.version <> p_version then perform app.refuse('precondition-failed'); end if;
  update public.proposals
    set state = 'rejected', settled_by = app.account(), settled_at = app.now(), rejection = p_rejection,
      version = version + 1
    where id = p.id;
end $$;
grant execute on function app.reject_proposal(uuid, integer, bytea) to app;

-- After events were inserted: marks their proposals as confirmed, and copies the sealed text of each to its event or
-- its document, under the id that it was sealed for. Marks decisions and documents of annulled events as annulled.
create function app.settle_proposals() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from written where proposal_id is not null) then return null; end if;
  update public.proposals p
    set state = 'confirmed', settled_by = w.account_id, settled_at = w.recorded_at, version = version + 1
    from written w
    where p.id = w.proposal_id;
  insert into public.event_texts (id, event_id, case_id, organisation_id, content)
    select p.id, w.id, w.case_id, w.organisation_id, p.content
    from written w join public.proposals p on p.id = w.proposal_id
    where w.action not in ('decide', 'discontinue', 'record_document') and p.content is not null;
  insert into public.documents (event_id, case_id, committee_id, type, number_hmac, iin_hmac, text_id, content,
      issued_on, expires_on)
    select w.id, w.case_id, coalesce(o.parent_id, o.id), f ->> 'documentType', decode(f ->> 'numberHmac', 'hex'),
      decode(f ->> 'iinHmac', 'hex'), p.id, p.content, (f ->> 'issuedOn')::date, (f ->> 'expiresOn')::date
    from written w
      join public.proposals p on p.id = w.proposal_id
      join public.organisations o on o.id = w.organisation_id,
      lateral (select w.facts as f) facts
    where w.action = 'record_document';
  update public.decisions d set annulled = true from written w where d.event_id = w.annuls;
  update public.documents d set annulled = true from written w where d.event_id = w.annuls;
  return null;
end $$;
create trigger then_3_settle_proposals after insert on case_events referencing new table as written
  for each statement execute function app.settle_proposals();

-- Read by their organisation and its committee while they can read the case; app.check_proposal checks new ones.
grant select, insert (id, case_id, action, occurred_on, facts, content, annuls, on_version) on proposals to app;
create policy seen on proposals for select to app using (
  app.own_or_division(organisation_id)
  and (select true from case_access a where a.case_id = proposals.case_id limit 1));
create policy proposed on proposals for insert to app with check (true);
