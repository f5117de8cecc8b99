-- Figures of a campaign without reading histories: what a case counts as, kept beside its events.

-- Who reaches a case until when, and its identity: one set for all the cases that the same organisations reach alike,
-- named by what it says.
create table readerships (
  readership uuid not null,
  organisation_id uuid not null references organisations,
  until timestamptz not null,
  identity_until timestamptz not null,
  primary key (readership, organisation_id)
) with (autovacuum_analyze_threshold = 5); -- few rows, and many hang on how many the planner takes them for

-- What a case counts as, from one day to another as far as it is known from one instant to another. A case of which each
-- fact was said once has one row, which says when it was decided and documented and when its person became known. Any
-- other has a row for each stretch of the two times in which it counts the same. A test proves at random that they never
-- differ from the events. Nobody reads them: sex and birth year stand here without the zone that guards them.
create table case_figures (
  case_id uuid not null references cases,
  campaign_id uuid not null,
  owner_id uuid not null,
  readership uuid, -- null: nobody reaches it
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
