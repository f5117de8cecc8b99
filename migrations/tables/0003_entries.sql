-- The audit log: one entry for every look, every change and every refusal. Ids, codes and keyed hashes, nothing personal.
-- `content` is the entry, kept to the byte; the columns beside it are what it is found by.
create table entries (
  id uuid primary key,
  at timestamptz not null,
  operation text not null,
  outcome text not null, -- done, or the name of the problem
  account_id uuid,
  organisation_id uuid,
  case_ids uuid[] not null, -- seen, changed or asked for
  content bytea not null
);
create index on entries (account_id, id);
create index on entries (organisation_id, id);
create index on entries (outcome, id) where outcome <> 'done';
create index on entries using gin (case_ids);

call app.guard(array['entries'::regclass]);
