-- What laws and offices set: codes, terms, regions, purposes, each row with its source and whether somebody verified it;
-- and the rules that the service seeds: the lifecycle, referrals.
call app.guard(array['app.migrations'::regclass]);

create type zone as enum ('identity', 'contact', 'whereabouts', 'protection');
create type purpose as enum ('case_management', 'status_determination', 'birth_registration', 'consular_inquiry', 'legal_aid',
  'service_referral', 'case_conference'); -- there is no enforcement purpose, and there can be none
create type basis as enum ('consent', 'statute', 'vital_interest');

create table installation (
  only_one boolean primary key default true check (only_one),
  country text not null check (country ~ '^[A-Z]{2}$'),
  time_zone text not null
);

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

-- The names that a region bore for a time; outside these times it bears the one above.
create table former_region_names (
  code text not null references regions,
  label_en text not null, label_ru text not null, label_kk text not null,
  valid daterange not null,
  primary key (code, valid)
);

create table codes (
  list text not null,
  code text not null,
  position int not null,
  label_en text not null, label_ru text not null, label_kk text not null,
  polarity text check (polarity in ('positive', 'neutral', 'negative')),
  needs_document boolean,
  needs_state boolean, -- the outcome speaks of a State
  sensitive boolean,
  keeps_file boolean, -- of a flag: as long as it stands, nothing is erased
  source text not null,
  verified boolean not null,
  primary key (list, code)
);

create table terms (
  term text primary key,
  unit text not null check (unit in ('hours', 'days', 'working_days', 'months', 'years')),
  value int not null check (value > 0),
  label_en text not null, label_ru text not null, label_kk text not null,
  source text not null,
  verified boolean not null
);

-- Numbers that a rule of the installation sets, each with its source.
create table thresholds (
  threshold text primary key,
  value int not null check (value > 0),
  label_en text not null, label_ru text not null, label_kk text not null,
  source text not null,
  verified boolean not null
);

-- The rule of each purpose: who may get it, whether a child without a representative may give it, whether it has to name a
-- State, and the law by which an authority that handles a case sees its identity without consent.
create table purposes (
  purpose purpose primary key,
  recipients organisation_kind[] not null,
  without_representative boolean not null,
  names_states boolean not null,
  legal_basis text,
  legal_zones zone[] not null default '{}', -- what the handler and its committee see by that law
  source text not null,
  verified boolean not null
);

-- What is read to the person before they agree, and stands on their receipt: by version of the form and language.
create table consent_forms (
  version text not null,
  language text not null,
  part text not null,
  text text not null,
  source text not null,
  verified boolean not null,
  primary key (version, language, part)
);

-- How long an organisation of this kind keeps what it holds for a purpose, from the day on which that has ended.
create table retention_rules (
  purpose purpose not null,
  kind organisation_kind not null,
  term text not null references terms,
  obligatory boolean not null, -- it must: nothing is erased before
  legal_reference text not null,
  source text not null,
  verified boolean not null,
  primary key (purpose, kind)
);

-- What may happen to a case: seeded from policy.ts, compared by a test. A from_state of '' makes the case.
create table lifecycle (
  action text not null,
  from_state text not null,
  to_state text not null,
  relations text[] not null,
  two_persons boolean not null,
  condition text, -- what must hold beside: see app.holds()
  facts text[] not null, -- what an event of this action may say
  handler text check (handler in ('owner', 'nobody')),
  waiting_for text, -- null: nothing changes; 'outcome': whoever the outcome puts in charge
  term text,
  by_referral boolean not null, -- it comes with a referral, and only so
  primary key (action, from_state)
);

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

call app.guard(array['installation', 'regions', 'former_region_names', 'codes', 'terms', 'thresholds', 'purposes', 'consent_forms',
  'retention_rules', 'lifecycle', 'referral_rules', 'referral_decisions']::regclass[]);
