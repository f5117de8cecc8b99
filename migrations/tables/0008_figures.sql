-- Derived from events, grants and identities by triggers: the figures of a campaign, without reading histories.

-- Sets of organisations that can read a case, with the instants until which they can read it and its identity. All
-- cases that the same organisations can read until the same instants share one set, whose id is a hash of its content.
create table readerships (
  readership uuid not null,
  organisation_id uuid not null references organisations,
  until timestamptz not null,
  identity_until timestamptz not null,
  primary key (readership, organisation_id)
) with (autovacuum_analyze_threshold = 5); -- the table has few rows, and plans depend on how many the planner expects

-- How a case is counted in a range of days (from_on, until_on), by what is on record in a range of instants (from_at,
-- until_at). A case whose facts were each recorded once has one row, with the times of decision, document and identity;
-- others have a row for each stretch of both times in which they are counted alike. A random test proves that the rows
-- agree with the events. The role app cannot read them: they hold sex and birth year without the zone that protects
-- these.
create table case_figures (
  case_id uuid not null references cases,
  campaign_id uuid not null,
  owner_id uuid not null,
  readership uuid, -- null: no organisation can read the case
  month text not null,
  from_on date not null, until_on date not null,
  decided_on date, documented_on date,
  birth_year int,
  from_at timestamptz not null, until_at timestamptz not null,
  decided_at timestamptz, documented_at timestamptz, identity_at timestamptz,
  region text not null, category text not null, outcome text, sex text,
  primary key (case_id, from_at, from_on)
);
create index on case_figures (campaign_id, readership);

call app.guard(array['readerships', 'case_figures']::regclass[]);
