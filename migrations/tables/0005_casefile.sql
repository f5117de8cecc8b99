-- The file of a person, and the grants that open it.

-- The index of a case: everything that a grant of any zone shows. No name, no free text, no sex, no birth year.
create table cases (
  id uuid primary key,
  number text not null unique,
  campaign_id uuid references campaigns,
  category text not null,
  causes text[] not null,
  region_code text not null references regions,
  owner_id uuid not null references organisations,
  handler_id uuid references organisations,
  assignee_id uuid,
  state text not null,
  outcome text,
  final_on date, -- the day on which the term to appeal against a negative outcome ends
  waiting_for text, waiting_since date, due_on date,
  registered_on date not null,
  version int not null default 1,
  external_hmac bytea, -- keyed hash of the id that the case has in the owner's own system
  updated_at timestamptz not null,
  erased_at timestamptz, -- when the erasure of the file was approved; since then no event is accepted
  constraint cases_external_id unique (owner_id, external_hmac),
  constraint cases_assignee foreign key (assignee_id, owner_id) references accounts (id, organisation_id)
);

-- A grant opens zones of a case to a recipient for a purpose. While opened_at is null, it is offered and opens nothing.
create table grants (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  owner_id uuid not null references organisations,
  giver_id uuid not null references organisations, -- the owner, or a recipient that gives its own grant onward
  recipient_id uuid not null references organisations,
  parent_id uuid references grants, -- the giver's own grant, if this one was given onward
  purpose purpose not null,
  zones zone[] not null check (cardinality(zones) > 0),
  onward boolean not null default false, -- the recipient may give it onward
  states text[] not null default '{}', -- the States to which the zones may be made known
  publication boolean not null default false,
  basis basis not null,
  legal_reference text check ((basis = 'statute') = (legal_reference is not null)),
  method text, language text, form_version text, -- how the person agreed
  representative text, -- of a child: a code; the name is in the text of the event that opened the grant
  given_at timestamptz not null default app.now(),
  given_by uuid not null references accounts,
  opened_at timestamptz,
  valid_until timestamptz not null default 'infinity',
  confirmed_until timestamptz, -- of basis vital_interest: the value of valid_until after a second person confirms it
  confirmed_at timestamptz, confirmed_by uuid references accounts,
  closed_at timestamptz, closed_reason text, closed_by uuid references accounts,
  acknowledged_at timestamptz, acknowledged_by uuid references accounts, -- the recipient has seen the revocation
  version int not null default 1,
  check ((closed_at is null) = (closed_reason is null)),
  check ((basis = 'vital_interest') = (confirmed_until is not null)),
  check (confirmed_by <> given_by),
  check (acknowledged_at is null or closed_reason = 'revoked')
);
create index on grants (recipient_id, case_id) where closed_at is null;
create index on grants (case_id);
create index on grants (giver_id, id);
create index on grants (recipient_id, id);
create index on grants (parent_id) where parent_id is not null;

-- Sealed texts of a grant: names of those who were present when it was given, the reason why it was closed.
create table grant_texts (
  grant_id uuid not null references grants,
  occasion text not null check (occasion in ('given', 'closed')),
  organisation_id uuid not null references organisations,
  content bytea not null,
  primary key (grant_id, occasion)
);

-- Derived from grants by triggers, for lists and policies: which organisation can read which case, and each zone of it,
-- until when; and when what it sees last changed. A random test proves that it always equals open_grants. No foreign
-- keys: its ids come from grants, where nobody can delete them, and the checks would take a third of the time of an
-- import.
create table case_access (
  organisation_id uuid not null,
  case_id uuid not null,
  state text not null,
  until timestamptz not null,
  identity_until timestamptz not null,
  contact_until timestamptz not null,
  whereabouts_until timestamptz not null,
  protection_until timestamptz not null,
  updated_at timestamptz not null,
  primary key (organisation_id, case_id)
);
create index on case_access (organisation_id, state, case_id);
create index on case_access (case_id);
create index on case_access (organisation_id, updated_at, case_id);

-- The keys of sealed content: one for what one organisation writes about one case, and one for the file of the case,
-- which goes with the case to its next owner and therefore has no organisation. Each key is stored wrapped by the key
-- of an epoch, which is kept outside the database. Sealed content begins with the id of its key.
create table data_keys (
  id uuid primary key,
  case_id uuid not null references cases deferrable initially deferred,
  organisation_id uuid references organisations, -- null: the key of the file
  epoch int not null,
  wrapped bytea not null
);
create index on data_keys (case_id, organisation_id);
create index on data_keys (epoch);

-- The file of the person: each zone is one sealed document, of which every version is kept. Sex and birth year of the
-- identity are stored beside it for the figures of campaigns.
create table zone_versions (
  case_id uuid not null references cases deferrable initially deferred,
  zone zone not null,
  version int not null,
  content bytea not null,
  sex text, birth_year int,
  written_at timestamptz not null default clock_timestamp(),
  written_by uuid not null default app.account() references accounts,
  primary key (case_id, zone, version),
  check (zone = 'identity' or sex is null and birth_year is null)
);

-- What a search finds an identity by: keyed hashes of numbers and of the parts of names. They are never unique.
create table identifiers (
  case_id uuid not null,
  zone zone not null default 'identity' check (zone = 'identity'),
  version int not null,
  kind text not null check (kind in ('iin', 'document', 'name')),
  hmac bytea not null,
  primary key (case_id, version, kind, hmac),
  foreign key (case_id, zone, version) references zone_versions deferrable initially deferred
);
create index on identifiers (hmac);

-- Links between the cases of a family: the person of other_id is the `kind` of the person of case_id.
create table relations (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  kind text not null check (kind in ('parent', 'child', 'spouse', 'sibling', 'guardian', 'ward')),
  other_id uuid not null references cases,
  organisation_id uuid not null default app.org() references organisations,
  made_by uuid not null default app.account() references accounts,
  made_at timestamptz not null default app.now(),
  ended_at timestamptz,
  ended_by uuid references accounts,
  constraint relations_of_two check (case_id <> other_id),
  check ((ended_at is null) = (ended_by is null))
);
create unique index relations_pair
  on relations (organisation_id, least(case_id, other_id), greatest(case_id, other_id)) where ended_at is null;
create index on relations (case_id) where ended_at is null;
create index on relations (other_id) where ended_at is null;

call app.guard(array['cases', 'grants', 'grant_texts', 'case_access', 'data_keys', 'zone_versions', 'identifiers',
  'relations']::regclass[]);
