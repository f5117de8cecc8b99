-- Custody: the cases of an organisation that has closed go to the custodian, who asks each person who should keep the
-- file.

alter table installation add custodian_id uuid references organisations; -- an IOM; null until one is named

-- A new type, because a value that a transaction adds to a type cannot be used in that transaction.
alter type basis rename to former_basis;
create type basis as enum ('consent', 'statute', 'vital_interest', 'custody');
alter table grants
  drop constraint grants_check, drop constraint grants_check2, drop constraint grants_check5,
  alter basis type basis using basis::text::basis,
  alter given_by drop not null,
  add check ((basis = 'statute') = (legal_reference is not null)),
  add check ((basis = 'vital_interest') = (confirmed_until is not null)),
  add check (suspended_for <@ '{representative_missing,state_must_not_know}'
    and (suspended_for = '{}' or basis = 'consent')),
  add check ((basis = 'custody') = (given_by is null)); -- the clock gives it
drop type former_basis;

-- The owner is the custodian, and has not been given a legal basis yet.
alter table cases add in_custody boolean not null default false;

-- Until when supervisors may read the case, and its zone contact, on the basis of custody.
alter table case_access add custody_until timestamptz not null default '-infinity';

alter table case_events drop constraint case_events_check3,
  add check (account_id is not null or action in ('expire', 'recall', 'entrust')); -- the clock acts without an account
