-- Why a grant shows nothing for now, although it is open: a code for each reason. Empty: it is not suspended.
alter table grants add suspended_for text[] not null default '{}'
  check (suspended_for <@ '{representative_missing,state_must_not_know}'
    and (suspended_for = '{}' or basis = 'consent'));
