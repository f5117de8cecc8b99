-- An organisation that is closing takes nothing new and hands over what it has. The last day is set by a term.
alter table organisations drop constraint organisations_status_check,
  add check (status in ('active', 'closing', 'closed')),
  add closing_until date check ((status = 'closing') = (closing_until is not null));
