-- How many different cases each account opened a zone of, from the beginning of a day until it ends, and which. Without
-- foreign keys: their check would wait for whoever has locked the case or the account.
create table openings (
  account_id uuid primary key,
  ends_at timestamptz not null,
  cases int not null,
  told boolean not null -- whether the supervisors know that the account wanted to open more
);
create table opened_cases (
  account_id uuid,
  case_id uuid,
  primary key (account_id, case_id)
);

-- The account that a task is about.
alter table tasks add account_id uuid references accounts;

call app.guard(array['opened_cases', 'openings']::regclass[]);
