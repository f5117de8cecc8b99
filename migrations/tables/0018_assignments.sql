-- How often the case was assigned, and when last: for its owner each is a version of the case, and nobody else learns
-- of them.
alter table cases add assignments int not null default 0, add assigned_at timestamptz;
