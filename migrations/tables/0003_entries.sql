-- The audit log.

-- One entry for each read, each change and each refusal: ids, codes and keyed hashes, no personal data. `content` is
-- the entry itself, stored byte by byte; the other columns serve to find it.
create table entries (
  id uuid primary key,
  at timestamptz not null,
  operation text not null,
  outcome text not null, -- `done`, or the name of the problem
  account_id uuid,
  organisation_id uuid,
  case_ids uuid[] not null, -- the cases that were read, changed or asked for
  content bytea not null
);
create index on entries (account_id, id);
create index on entries (organisation_id, id);
create index on entries (outcome, id) where outcome <> 'done';
create index on entries using gin (case_ids);

call app.guard(array['entries'::regclass]);
