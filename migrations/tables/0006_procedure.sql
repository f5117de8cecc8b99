-- What moves a case: referrals, proposals and events; and decisions and identity documents, which the authority makes.

-- An offer of a case to another organisation, and its settlement.
create table referrals (
  id uuid primary key,
  kind text not null,
  case_id uuid not null references cases, -- not readable for the service: see app.referred()
  owner_id uuid not null references organisations, -- the owner of the case
  from_id uuid not null references organisations,
  to_id uuid not null references organisations,
  grant_id uuid references grants, -- opens when the referral is accepted
  basis jsonb, -- of a transfer: the legal basis on which the new owner will keep the file
  -- The preview of the recipient: a snapshot made when the referral was offered.
  region_code text not null,
  category text not null,
  child boolean not null,
  zones zone[] not null,
  purpose purpose not null,
  state text not null default 'offered'
    check (state in ('offered', 'accepted', 'declined', 'recalled', 'expired', 'ended')),
  reason text,
  offered_at timestamptz not null, offered_by uuid not null references accounts,
  expires_on date not null, -- the last day on which it can be accepted
  expires_at timestamptz not null,
  settled_at timestamptz, settled_by uuid references accounts,
  version int not null default 1
);
create unique index referrals_pending
  on referrals (case_id, kind, (case when kind = 'service' then to_id end)) nulls not distinct where state = 'offered';
create index on referrals (case_id, id);
create index on referrals (to_id, state, id);
create index on referrals (from_id, state, id);
create index on referrals (expires_at) where state = 'offered';

-- Sealed texts of a referral: the message of the offer, the explanation of a decision, the receipt of the new basis.
create table referral_texts (
  referral_id uuid not null references referrals,
  decision text not null, -- `offer`, `basis`, or a decision
  organisation_id uuid not null references organisations,
  content bytea not null,
  primary key (referral_id, decision)
);

-- A step that takes two persons, as proposed by the first. The event of the second person copies it without change.
create table proposals (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  action text not null,
  occurred_on date, -- null: the day on which it is confirmed
  facts jsonb not null default '{}',
  content bytea, -- the sealed text
  annuls uuid, -- the event that it would annul
  on_version int,
  stands_on uuid, -- the event that had moved the case to the state that it had when this was proposed
  identity_version int, -- the version of the identity at that time
  organisation_id uuid not null references organisations,
  proposed_by uuid not null references accounts,
  proposed_at timestamptz not null,
  expires_on date not null,
  state text not null check (state in ('open', 'confirmed', 'rejected', 'expired')),
  settled_by uuid references accounts,
  settled_at timestamptz,
  rejection bytea, -- the sealed reason of a rejection
  version int not null default 1,
  check ((state in ('confirmed', 'rejected')) = (settled_by is not null)),
  constraint proposals_two_persons check (state <> 'confirmed' or settled_by <> proposed_by)
);
create unique index proposals_pending on proposals (case_id, organisation_id) where state = 'open';

-- What happened to a case; append-only. The event is the write: the row of the case is the fold of its events.
-- organisation_id and account_id are those of the caller and are set by the database itself; they have no foreign keys,
-- because these took a third of the time of an import.
create table case_events (
  id uuid primary key,
  case_id uuid not null references cases deferrable initially deferred, -- deferred: the first event creates its case
  action text not null,
  from_state text not null,
  to_state text not null,
  occurred_on date not null,
  recorded_at timestamptz not null,
  organisation_id uuid not null,
  account_id uuid,
  facts jsonb not null default '{}', -- codes, dates and ids only
  proposal_id uuid references proposals,
  annuls uuid references case_events,
  referral_id uuid references referrals,
  on_version int, -- the version of the case that the caller had read
  job_id uuid references jobs, line int, -- the job and the line of its file that an imported event came from
  -- A change without an entry in the audit log fails at its commit.
  entry_id uuid default app.entry() references entries deferrable initially deferred
    constraint case_events_entry check (entry_id is not null),
  check ((job_id is null) = (line is null)),
  check (starts_with(action, 'import_') = (job_id is not null)),
  check ((action = 'annul') = (annuls is not null)),
  check (account_id is not null or action = 'expire') -- only the clock acts without an account
);
create index on case_events (case_id, id);
-- Partial, because few events have these columns: the planner would use a full index to find all the other events.
create unique index on case_events (proposal_id) where proposal_id is not null;
create unique index on case_events (annuls) where annuls is not null;
alter table proposals
  add foreign key (annuls) references case_events,
  add foreign key (stands_on) references case_events;

-- The sealed text of an event: its reason in words.
create table event_texts (
  id uuid not null unique default gen_random_uuid(), -- part of the place that the content was sealed for
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  organisation_id uuid not null references organisations,
  content bytea not null
);

-- The findings of the authority, as the second person confirmed them. The newest one that is not annulled is in force.
create table decisions (
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  identity_version int, -- the version of the identity that it rests on
  outcome text not null,
  country text, -- the State that the outcome names
  legal_reference text,
  reason text,
  text_id uuid, -- part of the place that the content was sealed for
  content bytea, -- reasons and evidence in words
  final_on date,
  annulled boolean not null default false
);
create index on decisions (case_id);

-- The identity documents that were issued. A number is unique only within the register of one committee.
create table documents (
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  committee_id uuid not null references organisations,
  type text not null,
  number_hmac bytea,
  iin_hmac bytea,
  text_id uuid not null default gen_random_uuid(), -- part of the place that the content was sealed for
  content bytea not null, -- number, issuer, IIN
  issued_on date not null,
  expires_on date check (expires_on >= issued_on),
  annulled boolean not null default false
);
create unique index documents_number on documents (committee_id, type, number_hmac) where not annulled;
create index on documents (case_id);
create index on documents (number_hmac);
create index on documents (iin_hmac);

call app.guard(array['referrals', 'referral_texts', 'proposals', 'case_events', 'event_texts', 'decisions',
  'documents']::regclass[]);
