-- Tasks, and the assignments of cases.

-- Before a task gets another assignee: refuses an account that is not active, or not of the organisation of the task.
create function app.check_assignee() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  if new.assignee_id is distinct from old.assignee_id and not exists (select from public.accounts a
      where a.id = new.assignee_id and a.organisation_id = new.organisation_id and a.status = 'active') then
    raise foreign_key_violation using constraint = 'tasks_assignee';
  end if;
  return new;
end $$;
create trigger check_assignee before insert or update of assignee_id on tasks for each row
  when (new.assignee_id is not null) execute function app.check_assignee();

-- Locks and returns an open task of the caller's organisation. Refuses others, a task of a case that the caller cannot
-- read, a task about an account unless the caller is a supervisor, an outdated version, and a task that is done.
create function app.open_task(p_task uuid, p_version int) returns public.tasks
language plpgsql security definer set search_path = '' as $$
declare t public.tasks;
begin
  select * into t from public.tasks
    where id = p_task and organisation_id = app.org() and (case_id is null or app.reaches(case_id))
      and (account_id is null or app.has_role('supervisor')) for update;
  if t.id is null then perform app.refuse('not-found'); end if;
  if t.version <> p_version then perform app.refuse('precondition-failed'); end if;
  if t.done_at is not null then perform app.refuse('task-done'); end if;
  return t;
end $$;

-- Changes assignee, due date and title of an open task. Refuses another date or title for a task of the system.
create function app.change_task(p_task uuid, p_version int, p_assignee uuid, p_due date, p_content bytea) returns void
language plpgsql security definer set search_path = '' as $$
declare t public.tasks := app.open_task(p_task, p_version);
begin
  if t.kind <> 'by_hand' and (p_content is not null or p_due is distinct from t.due_on) then
    perform app.refuse('task-of-the-system');
  end if;
  update public.tasks
    set assignee_id = p_assignee, due_on = p_due, content = coalesce(p_content, content), version = version + 1
    where id = t.id;
end $$;
grant execute on function app.change_task(uuid, integer, uuid, date, bytea) to app;

-- Marks an open task as done. Refuses a task of the system, which is done when the thing it asks for has happened;
-- except a task about an account: only a supervisor knows that they have asked.
create function app.complete_task(p_task uuid, p_version int) returns void
language plpgsql security definer set search_path = '' as $$
declare t public.tasks := app.open_task(p_task, p_version);
begin
  if t.kind <> 'by_hand' and t.account_id is null then perform app.refuse('task-of-the-system'); end if;
  update public.tasks set done_at = app.now(), done_by = app.account(), version = version + 1 where id = t.id;
end $$;
grant execute on function app.complete_task(uuid, integer) to app;

-- Sets a task of the system for an organisation.
create function app.make_task(
  p_kind text, p_organisation uuid, p_case uuid, p_grant uuid, p_referral uuid, p_due date) returns void
language sql security definer set search_path = '' as $$
  insert into public.tasks (kind, organisation_id, case_id, grant_id, referral_id, due_on, created_by)
  values (p_kind, p_organisation, p_case, p_grant, p_referral, p_due, null)
$$;

-- After an account was refused because it has opened too many cases: sets a task for the supervisors of its
-- organisation, once a day for each account. Runs as definer, in app.write_refusal().
create function app.tell_of_openings() returns trigger language plpgsql as $$
begin
  update public.openings set told = true where account_id = new.account_id and not told;
  if found then
    insert into public.tasks (kind, organisation_id, account_id, due_on, created_by)
    values ('ask_about_openings', new.organisation_id, new.account_id, app.today(), null);
  end if;
  return null;
end $$;
create trigger tell_of_openings after insert on entries for each row when (new.outcome = 'too-many-cases')
  execute function app.tell_of_openings();

-- Marks the open tasks of this kind about a grant or a referral as done.
create function app.finish_tasks(p_kind text, p_grant uuid, p_referral uuid) returns void
language sql security definer set search_path = '' as $$
  update public.tasks set done_at = app.now(), done_by = app.account(), version = version + 1
  where kind = p_kind and (grant_id = p_grant or referral_id = p_referral) and done_at is null
$$;

-- After a case got an assignee, or another assignee or owner: stores the assignment.
create function app.keep_assignments() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.assignments (case_id, organisation_id, assignee_id, assigned_by, assigned_at)
    values (new.id, new.owner_id, new.assignee_id, app.account(), app.now());
  return null;
end $$;
create trigger keep_assignments_of_new after insert on cases for each row when (new.assignee_id is not null)
  execute function app.keep_assignments();
create trigger keep_assignments after update of assignee_id, owner_id on cases for each row
  when ((old.assignee_id, old.owner_id) is distinct from (new.assignee_id, new.owner_id))
  execute function app.keep_assignments();

-- Assignments are read by the organisation that owned the case at that time, while it can read the case.
grant select on assignments to app;
create policy seen on assignments for select to app using (
  organisation_id = (select app.org())
  and (select true from case_access a where a.case_id = assignments.case_id limit 1));
create trigger keep_history before update or delete on assignments for each row execute function app.keep_history();

-- Tasks are read and set by their organisation, those about a case while it can read the case, those about an account
-- by its supervisors.
grant select, insert (id, case_id, assignee_id, due_on, content) on tasks to app;
create policy seen on tasks for select to app using (
  organisation_id = (select app.org()) and (account_id is null or (select app.has_role('supervisor')))
  and (case_id is null or (select true from case_access a where a.case_id = tasks.case_id limit 1)));
create policy written on tasks for insert to app with check (
  organisation_id = (select app.org())
  and (select true from case_access a where a.case_id = tasks.case_id and a.until > app.now() limit 1));
