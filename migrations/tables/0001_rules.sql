-- Reference data set by laws and offices (each row with its source, and whether it was verified), and the lifecycle.

call app.guard(array['app.migrations'::regclass]);

create type zone as enum ('identity', 'contact', 'whereabouts', 'protection');
-- There is no enforcement purpose, and there can be none.
create type purpose as enum ('case_management', 'status_determination', 'birth_registration', 'consular_inquiry',
  'legal_aid', 'service_referral', 'case_conference');
create type basis as enum ('consent', 'statute', 'vital_interest');

-- The country and the time zone of the installation: one row.
create table installation (
  only_one boolean primary key default true check (only_one),
  country text not null check (country ~ '^[A-Z]{2}$'),
  time_zone text not null
);

-- The regions of the country. A region is valid in a range of days; predecessor is the region that it was cut out of.
create table regions (
  code text primary key,
  kato text not null,
  label_en text not null, label_ru text not null, label_kk text not null,
  centre text not null,
  valid daterange not null,
  predecessor text references regions,
  note text not null,
  time_zone text not null,
  source text not null,
  verified boolean not null
);

-- Names that a region had for a time; outside these times it has the name in `regions`.
create table former_region_names (
  code text not null references regions,
  label_en text not null, label_ru text not null, label_kk text not null,
  valid daterange not null,
  primary key (code, valid)
);

-- All code lists in one table: categories, causes, outcomes, document types, flags and others.
create table codes (
  list text not null,
  code text not null,
  position int not null,
  label_en text not null, label_ru text not null, label_kk text not null,
  polarity text check (polarity in ('positive', 'neutral', 'negative')), -- of an outcome
  needs_document boolean, -- of an outcome
  needs_state boolean, -- the outcome names a State
  sensitive boolean,
  keeps_file boolean, -- of a kind of flag: while such a flag is not cleared, nothing is erased
  source text not null,
  verified boolean not null,
  primary key (list, code)
);

-- Deadlines and retention periods.
create table terms (
  term text primary key,
  unit text not null check (unit in ('hours', 'days', 'working_days', 'months', 'years')),
  value int not null check (value > 0),
  label_en text not null, label_ru text not null, label_kk text not null,
  source text not null,
  verified boolean not null
);

-- Other numbers that the rules of the installation set.
create table thresholds (
  threshold text primary key,
  value int not null check (value > 0),
  label_en text not null, label_ru text not null, label_kk text not null,
  source text not null,
  verified boolean not null
);

-- The rule of each purpose of a grant.
create table purposes (
  purpose purpose primary key,
  recipients organisation_kind[] not null, -- which kinds of organisation can receive such a grant
  without_representative boolean not null, -- a child without a representative can give it
  names_states boolean not null, -- the grant must name a State
  legal_basis text, -- the law by which the authority that handles a case, and its committee, read it without consent
  legal_zones zone[] not null default '{}', -- the zones that they read by that law
  source text not null,
  verified boolean not null
);

-- The text that is read to the person before they agree, and printed on their receipt.
create table consent_forms (
  version text not null,
  language text not null,
  part text not null,
  text text not null,
  source text not null,
  verified boolean not null,
  primary key (version, language, part)
);

-- How long an organisation of this kind keeps what it holds for a purpose, from the day on which the purpose has ended.
create table retention_rules (
  purpose purpose not null,
  kind organisation_kind not null,
  term text not null references terms,
  obligatory boolean not null, -- nothing may be erased before the term has ended
  legal_reference text not null,
  source text not null,
  verified boolean not null,
  primary key (purpose, kind)
);

-- The steps that a case can take, seeded from policy.ts (compared by a test). The first step is from the state ''.
create table lifecycle (
  action text not null,
  from_state text not null,
  to_state text not null,
  relations text[] not null, -- what an organisation must be to the case; one of them is enough
  two_persons boolean not null, -- proposed by one account, confirmed by another
  condition text, -- what must also hold: see app.condition_holds()
  facts text[] not null, -- the keys that the facts of such an event may have
  handler text check (handler in ('owner', 'nobody')), -- who handles the case after the step; null: no change
  waiting_for text, -- who is waited for after the step; null: no change; 'outcome': depends on the outcome
  term text, -- the term within which that party has to act
  by_referral boolean not null, -- the step is taken by a referral, and cannot be taken without one
  primary key (action, from_state)
);

-- Who may offer which kind of referral to whom, in which states of a case. Seeded from policy.ts.
create table referral_rules (
  kind text not null,
  relation text not null check (relation in ('owner', 'handler')), -- what the sender must be to the case
  senders organisation_kind[] not null,
  recipients organisation_kind[] not null,
  states text[] not null,
  purposes purpose[] not null, -- of the grant that comes with the referral; empty: no grant comes with it
  actions jsonb not null, -- by decision (or `offer`): the action of the lifecycle that follows from it
  primary key (kind, senders)
);

-- The decisions about a referral: from which state to which, and by which party.
create table referral_decisions (
  decision text not null,
  kinds text[] not null,
  from_state text not null,
  to_state text not null,
  party text not null check (party in ('sender', 'recipient', 'clock')), -- clock: the offer has expired
  grants text check (grants in ('open', 'close')), -- what the decision does to the grant that came with the referral
  needs_reason boolean not null,
  primary key (decision)
);

call app.guard(array['installation', 'regions', 'former_region_names', 'codes', 'terms', 'thresholds', 'purposes',
  'consent_forms', 'retention_rules', 'lifecycle', 'referral_rules', 'referral_decisions']::regclass[]);
