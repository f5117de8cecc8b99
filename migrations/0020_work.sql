-- The work on a case: notes, who looks after it, what is to be done, and what is to be kept in mind.

-- A note stays with its organisation for ever; others read those of audience `case` as long as they reach the case. Nothing
-- is deleted: a note is written anew, or struck, which is its last version.
create table notes (
  id uuid primary key,
  case_id uuid not null references cases,
  organisation_id uuid not null default app.org() references organisations,
  audience text not null check (audience in ('organisation', 'case')),
  created_by uuid not null default app.account() references accounts,
  created_at timestamptz not null default app.now(),
  struck boolean not null default false,
  version int not null default 1
);
create index on notes (case_id, id);
create index on notes (organisation_id, id);
create table note_versions (
  note_id uuid not null references notes,
  version int not null default 1,
  content jsonb not null, -- the text, or the reason why it was struck
  written_by uuid not null default app.account() references accounts,
  written_at timestamptz not null default app.now(),
  primary key (note_id, version)
);

-- Whose hands a case was in, for its owner of that time.
create table assignments (
  id uuid primary key default uuidv7(),
  case_id uuid not null references cases,
  organisation_id uuid not null references organisations,
  assignee_id uuid references accounts,
  assigned_by uuid references accounts,
  assigned_at timestamptz not null
);
create index on assignments (case_id, id);

-- What is due: set by somebody of the organisation, or by the system, which then says of which grant or referral.
create table tasks (
  id uuid primary key default uuidv7(),
  kind text not null default 'by_hand',
  organisation_id uuid not null default app.org() references organisations,
  case_id uuid references cases,
  grant_id uuid references grants,
  referral_id uuid,
  assignee_id uuid,
  due_on date,
  content jsonb, -- its title; the system's have none
  created_by uuid default app.account() references accounts,
  created_at timestamptz not null default app.now(),
  done_by uuid references accounts,
  done_at timestamptz,
  version int not null default 1,
  constraint tasks_assignee foreign key (assignee_id, organisation_id) references accounts (id, organisation_id),
  check ((kind = 'by_hand') = (content is not null)),
  check (kind <> 'by_hand' or case_id is not null)
);
create index on tasks (organisation_id, id);
create index on tasks (organisation_id, id) where done_at is null;
create index on tasks (assignee_id, id) where done_at is null;
create index on tasks (case_id);
create index on tasks (grant_id) where grant_id is not null;
create index on tasks (referral_id) where referral_id is not null;

-- What an organisation keeps in mind about a case, until it is no longer so.
create table flags (
  id uuid primary key,
  case_id uuid not null references cases,
  organisation_id uuid not null default app.org() references organisations,
  kind text not null,
  due_on date,
  content jsonb not null, -- why
  raised_by uuid not null default app.account() references accounts,
  raised_at timestamptz not null default app.now(),
  cleared_by uuid references accounts,
  cleared_at timestamptz,
  clearance jsonb,
  version int not null default 1,
  check ((cleared_at is null) = (clearance is null))
);
create index on flags (case_id);
create index on flags (organisation_id, case_id) where cleared_at is null;

call app.guard(array['notes', 'note_versions', 'assignments', 'tasks', 'flags']::regclass[]);
grant select on notes, note_versions, assignments, tasks, flags to app;
grant insert (id, case_id, audience) on notes to app;
grant insert (note_id, content) on note_versions to app;
grant insert (id, case_id, assignee_id, due_on, content) on tasks to app;
grant insert (id, case_id, kind, due_on, content) on flags to app;

create policy seen on notes for select to app using (organisation_id = (select app.org())
  or audience = 'case' and (select true from case_access a where a.case_id = notes.case_id limit 1));
create policy written on notes for insert to app with check (
  organisation_id = (select app.org()) and (select true from case_access a where a.case_id = notes.case_id limit 1));
-- Others read what it says now, unless it was struck.
create policy seen on note_versions for select to app using (exists (select from notes n where n.id = note_id
  and (n.organisation_id = (select app.org()) or n.version = note_versions.version and not n.struck)));
-- The first version; later ones come from app.rewrite_note().
create policy written on note_versions for insert to app with check (version = 1 and exists (
  select from notes n where n.id = note_id and n.created_by = (select app.account())));
create policy seen on assignments for select to app using (organisation_id = (select app.org())
  and (select true from case_access a where a.case_id = assignments.case_id limit 1));
create policy seen on tasks for select to app using (organisation_id = (select app.org())
  and (case_id is null or (select true from case_access a where a.case_id = tasks.case_id limit 1)));
create policy written on tasks for insert to app with check (
  organisation_id = (select app.org()) and (select true from case_access a where a.case_id = tasks.case_id limit 1));
create policy seen on flags for select to app using (organisation_id = (select app.org())
  and (select true from case_access a where a.case_id = flags.case_id limit 1));
create policy written on flags for insert to app with check (
  organisation_id = (select app.org()) and (select true from case_access a where a.case_id = flags.case_id limit 1));

create trigger keep_history before update or delete on note_versions for each row execute function app.keep_history();
create trigger keep_history before update or delete on assignments for each row execute function app.keep_history();

-- Writes the next version of one's own note, or strikes it, which is the last. Whoever has lost the case has nothing more to
-- say to those who have it.
create function app.rewrite_note(p_note uuid, p_version int, p_content jsonb, p_struck boolean) returns void
language plpgsql security definer set search_path = '' as $$
declare n public.notes;
begin
  select * into n from public.notes where id = p_note for update;
  if n.id is null or n.organisation_id <> app.org() and not (n.audience = 'case' and app.reaches(n.case_id)) then
    perform app.refuse('not-found');
  elsif n.organisation_id <> app.org() then
    perform app.refuse('forbidden', 'Whose note it is writes it');
  elsif n.version <> p_version then
    perform app.refuse('precondition-failed');
  elsif n.struck then
    perform app.refuse('note-struck');
  elsif n.audience = 'case' and not p_struck and not app.reaches(n.case_id) then
    perform app.refuse('forbidden', 'The case has left you: what others read can only be struck');
  end if;
  insert into public.note_versions (note_id, version, content) values (n.id, n.version + 1, p_content);
  update public.notes set version = n.version + 1, struck = p_struck where id = n.id;
end $$;

create function app.keep_assignments() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.assignments (case_id, organisation_id, assignee_id, assigned_by, assigned_at)
    values (new.id, new.owner_id, new.assignee_id, app.account(), app.now());
  return null;
end $$;
insert into assignments (case_id, organisation_id, assignee_id, assigned_at)
  select id, owner_id, assignee_id, updated_at from cases where assignee_id is not null;
create trigger keep_assignments_of_new after insert on cases for each row when (new.assignee_id is not null)
  execute function app.keep_assignments();
create trigger keep_assignments after update of assignee_id, owner_id on cases for each row
  when ((old.assignee_id, old.owner_id) is distinct from (new.assignee_id, new.owner_id)) execute function app.keep_assignments();

-- A task is given to somebody of its organisation who can do it.
create function app.check_assignee() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.assignee_id is distinct from old.assignee_id and not exists (select from public.accounts a
      where a.id = new.assignee_id and a.organisation_id = new.organisation_id and a.status = 'active') then
    raise foreign_key_violation using constraint = 'tasks_assignee';
  end if;
  return new;
end $$;
create trigger check_assignee before insert or update of assignee_id on tasks for each row when (new.assignee_id is not null)
  execute function app.check_assignee();

-- One's own open task, in the version that was read.
create function app.open_task(p_task uuid, p_version int) returns public.tasks language plpgsql security definer set search_path = '' as $$
declare t public.tasks;
begin
  select * into t from public.tasks where id = p_task and organisation_id = app.org() and (case_id is null or app.reaches(case_id)) for update;
  if t.id is null then perform app.refuse('not-found'); end if;
  if t.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if t.done_at is not null then perform app.refuse('task-done'); end if;
  return t;
end $$;

-- Gives a task to somebody else, another day, another title. What the system set keeps its day.
create function app.change_task(p_task uuid, p_version int, p_assignee uuid, p_due date, p_content jsonb) returns void
language plpgsql security definer set search_path = '' as $$
declare t public.tasks := app.open_task(p_task, p_version);
begin
  if t.kind <> 'by_hand' and (p_content is not null or p_due is distinct from t.due_on) then perform app.refuse('task-of-the-system'); end if;
  update public.tasks set assignee_id = p_assignee, due_on = p_due, content = coalesce(p_content, content), version = version + 1 where id = t.id;
end $$;

create function app.complete_task(p_task uuid, p_version int) returns void language plpgsql security definer set search_path = '' as $$
declare t public.tasks := app.open_task(p_task, p_version);
begin
  if t.kind <> 'by_hand' then perform app.refuse('task-of-the-system'); end if;
  update public.tasks set done_at = app.now(), done_by = app.account(), version = version + 1 where id = t.id;
end $$;

-- The system sets a task; it is done when what it asks for has happened.
create function app.make_task(p_kind text, p_organisation uuid, p_case uuid, p_grant uuid, p_referral uuid, p_due date) returns void
language sql security definer set search_path = '' as $$
  insert into public.tasks (kind, organisation_id, case_id, grant_id, referral_id, due_on, created_by)
  values (p_kind, p_organisation, p_case, p_grant, p_referral, p_due, null)
$$;
create function app.finish_tasks(p_kind text, p_grant uuid, p_referral uuid) returns void language sql security definer set search_path = '' as $$
  update public.tasks set done_at = app.now(), done_by = app.account(), version = version + 1
  where kind = p_kind and (grant_id = p_grant or referral_id = p_referral) and done_at is null
$$;

create function app.clear_flag(p_flag uuid, p_version int, p_clearance jsonb) returns void language plpgsql security definer set search_path = '' as $$
declare f public.flags;
begin
  select * into f from public.flags where id = p_flag and organisation_id = app.org() and app.reaches(case_id) for update;
  if f.id is null then perform app.refuse('not-found'); end if;
  if f.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if f.cleared_at is not null then perform app.refuse('flag-cleared'); end if;
  update public.flags set cleared_at = app.now(), cleared_by = app.account(), clearance = p_clearance, version = version + 1 where id = f.id;
end $$;

grant execute on function app.open_task(uuid, int), app.make_task(text, uuid, uuid, uuid, uuid, date), app.finish_tasks(text, uuid, uuid) to definer;
grant execute on function app.rewrite_note(uuid, int, jsonb, boolean), app.change_task(uuid, int, uuid, date, jsonb), app.complete_task(uuid, int),
  app.clear_flag(uuid, int, jsonb) to app;
call app.define(array[
  'app.rewrite_note(uuid,int,jsonb,boolean)',
  'app.keep_assignments()',
  'app.check_assignee()',
  'app.open_task(uuid,int)',
  'app.change_task(uuid,int,uuid,date,jsonb)',
  'app.complete_task(uuid,int)',
  'app.make_task(text,uuid,uuid,uuid,uuid,date)',
  'app.finish_tasks(text,uuid,uuid)',
  'app.clear_flag(uuid,int,jsonb)'
]::regprocedure[]);
