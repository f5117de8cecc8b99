import { randomUUIDv7 } from 'node:crypto'
import { type SQL, sql } from 'drizzle-orm'
import { requireReached } from '../cases/queries.ts'
import type { Tx } from '../db/database.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../db/page.ts'
import { notFound } from '../problem.ts'
import type { NewTask, Task, TaskChange, TaskQuery } from './contract.ts'

const columns = sql`t.id, t.kind, t.case_id as "caseId", t.grant_id as "grantId", t.referral_id as "referralId",
  t.content ->> 'title' as title, t.assignee_id as "assigneeId", t.due_on as "dueOn",
  t.done_at is null and coalesce(t.due_on < app.today(), false) as overdue, t.created_by as "createdBy",
  app.rfc3339(t.created_at) as "createdAt", t.done_by as "doneBy", app.rfc3339(t.done_at) as "doneAt", t.version,
  array_remove(array[case when t.done_at is null then 'edit' end,
    case when t.done_at is null and t.kind = 'by_hand' then 'complete' end], null) as "allowedActions"
  from tasks t`

async function page(tx: Tx, of: SQL, { cursor, limit }: PageQuery): Promise<Page<Task>> {
  const rows = await tx.execute<Task>(sql`
    select ${columns} where ${of} and t.id ${olderThan(cursor)} order by t.id desc limit ${limit + 1}`)
  return pageOf(rows, { limit })
}

export function list(tx: Tx, query: TaskQuery): Promise<Page<Task>> {
  const { assignee = null, done, kind = null, dueBefore = null } = query
  const asked = sql`
    ${assignee === 'me' ? sql`t.assignee_id = app.account()` : sql`(${assignee}::uuid is null or t.assignee_id = ${assignee}::uuid)`}
    ${done === undefined ? sql`` : sql`and t.done_at is ${done === 'true' ? sql`not null` : sql`null`}`}
    and (${kind}::text is null or t.kind = ${kind}) and (${dueBefore}::date is null or t.due_on < ${dueBefore}::date)`
  return page(tx, asked, query)
}

export async function listOf(tx: Tx, caseId: string, query: PageQuery): Promise<Page<Task>> {
  const [, tasks] = await Promise.all([requireReached(tx, caseId), page(tx, sql`t.case_id = ${caseId}`, query)])
  return tasks
}

export async function find(tx: Tx, id: string): Promise<Task> {
  const [row] = await tx.execute<Task>(sql`select ${columns} where t.id = ${id}`)
  if (!row) throw notFound()
  return row
}

export async function set(tx: Tx, caseId: string, { title, assigneeId, dueOn }: NewTask): Promise<string> {
  const id = randomUUIDv7()
  const rows = await tx.execute(sql`
    insert into tasks (id, case_id, assignee_id, due_on, content)
    select ${id}, c.id, ${assigneeId}, ${dueOn}::date, ${JSON.stringify({ title })}::jsonb from cases c where c.id = ${caseId} returning id`)
  if (!rows.length) throw notFound()
  return id
}

export async function change(tx: Tx, id: string, version: number, { title, ...given }: TaskChange): Promise<Task> {
  const { assigneeId, dueOn } = { ...(await find(tx, id)), ...given }
  const content = title === undefined ? null : JSON.stringify({ title })
  await tx.execute(sql`
    select app.change_task(${id}, ${version}, ${assigneeId ?? null}, ${dueOn ?? null}, ${content}::jsonb)`)
  return find(tx, id)
}

export async function complete(tx: Tx, id: string, version: number): Promise<Task> {
  await tx.execute(sql`select app.complete_task(${id}, ${version})`)
  return find(tx, id)
}
