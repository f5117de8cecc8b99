-- What moves a case: referrals, proposals, events, and what the authority finds and issues.

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
  content bytea not null,
  primary key (referral_id, decision)
);

-- A step that takes two persons, as one of them wants it. The other one's event carries it out word for word.
create table proposals (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  action text not null,
  occurred_on date, -- null: the day of its confirmation
  facts jsonb not null default '{}',
  content bytea, -- what was typed
  annuls uuid,
  on_version int,
  stands_on uuid, -- the event that had brought the case to its state when it was made
  identity_version int, -- what was known of the person when it was made
  organisation_id uuid not null references organisations,
  proposed_by uuid not null references accounts,
  proposed_at timestamptz not null,
  expires_on date not null,
  state text not null check (state in ('open', 'confirmed', 'rejected', 'expired')),
  settled_by uuid references accounts,
  settled_at timestamptz,
  rejection bytea,
  version int not null default 1,
  check ((state in ('confirmed', 'rejected')) = (settled_by is not null)),
  constraint proposals_two_persons check (state <> 'confirmed' or settled_by <> proposed_by)
);
create unique index proposals_pending on proposals (case_id, organisation_id) where state = 'open';

-- What happened to a case: append-only. The event is the write; the row of the case is the fold of its events. Organisation
-- and account are those of whoever entered, which the database itself writes: no foreign keys, a third of an import's cost.
create table case_events (
  id uuid primary key,
  case_id uuid not null references cases deferrable initially deferred, -- the first event makes its case
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
  on_version int, -- the version of the case that its writer had read
  job_id uuid references jobs, line int, -- where an imported event came from
  -- A change without an entry in the audit log fails at its commit.
  entry_id uuid default app.entry() references entries deferrable initially deferred constraint case_events_entry check (entry_id is not null),
  check ((job_id is null) = (line is null)),
  check (starts_with(action, 'import_') = (job_id is not null)),
  check ((action = 'annul') = (annuls is not null)),
  check (account_id is not null or action = 'expire') -- nobody's doing but the clock's
);
create index on case_events (case_id, id);
-- Partial, because hardly any event has one: a whole index would be taken for the way to all the others.
create unique index on case_events (proposal_id) where proposal_id is not null;
create unique index on case_events (annuls) where annuls is not null;
alter table proposals add foreign key (annuls) references case_events, add foreign key (stands_on) references case_events;

-- What was typed with an event: its reason, in words.
create table event_texts (
  id uuid not null unique default gen_random_uuid(), -- under which it was sealed
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  organisation_id uuid not null references organisations,
  content bytea not null
);

-- The authority's finding, as the second person confirmed it. The newest one that stands is the current one.
create table decisions (
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  identity_version int,
  outcome text not null,
  country text, -- the State, where the outcome speaks of one
  legal_reference text,
  reason text,
  text_id uuid, -- under which it was sealed
  content bytea, -- reasons and evidence, in words
  final_on date,
  annulled boolean not null default false
);
create index on decisions (case_id);

-- What the person ends up holding. A number is unique in the register of one committee only.
create table documents (
  event_id uuid primary key references case_events,
  case_id uuid not null references cases,
  committee_id uuid not null references organisations,
  type text not null,
  number_hmac bytea,
  iin_hmac bytea,
  text_id uuid not null default gen_random_uuid(),
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
