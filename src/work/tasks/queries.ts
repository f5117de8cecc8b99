import { randomUUIDv7 } from 'node:crypto'
import type { z } from 'zod'
import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { requireReached } from '../../casefile/zones/queries.ts'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { type SQL, sql } from '../../platform/db/drizzle.ts'
import { olderThan, type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { sealed, sealerFor } from '../../platform/db/sealed.ts'
import { notFound } from '../../problem.ts'
import { type NewTask, Task, type TaskChange, type TaskQuery } from './contract.ts'

const columns = sql`t.id, t.kind, t.case_id as "caseId", t.grant_id as "grantId", t.referral_id as "referralId",
  t.account_id as "accountId",
  ${sealed('t.content')} as content, t.assignee_id as "assigneeId", t.due_on as "dueOn",
  t.done_at is null and coalesce(t.due_on < app.today(), false) as overdue, t.created_by as "createdBy",
  app.rfc3339(t.created_at) as "createdAt", t.done_by as "doneBy", app.rfc3339(t.done_at) as "doneAt", t.version,
  array_remove(array[case when t.done_at is null then 'edit' end,
    case when t.done_at is null and (t.kind = 'by_hand' or t.account_id is not null) then 'complete' end], null) as "allowedActions"
  from tasks t`

const TaskRow = Task.omit({ title: true }).extend({ content: Sealed.nullable() })

const opened =
  ({ keys }: Tx) =>
  ({ content, ...task }: z.output<typeof TaskRow>): Task => ({
    ...task,
    ...sealedColumns.task.fields(keys, [task.id], content),
  })

async function page(tx: Tx, of: SQL, { cursor, limit }: PageQuery): Promise<Page<Task>> {
  const rows = await tx.rows(
    TaskRow,
    sql`select ${columns} where ${of} and t.id ${olderThan(cursor)} order by t.id desc limit ${limit + 1}`,
  )
  return pageOf(rows.map(opened(tx)), { limit })
}

export function list(tx: Tx, query: TaskQuery): Promise<Page<Task>> {
  const { assignee = null, done, kind = null, dueBefore = null } = query
  const matching = sql`
    ${assignee === 'me' ? sql`t.assignee_id = app.account()` : sql`(${assignee}::uuid is null or t.assignee_id = ${assignee}::uuid)`}
    ${done === undefined ? sql`` : sql`and t.done_at is ${done ? sql`not null` : sql`null`}`}
    and (${kind}::text is null or t.kind = ${kind}) and (${dueBefore}::date is null or t.due_on < ${dueBefore}::date)`
  return page(tx, matching, query)
}

export async function listOf(tx: Tx, caseId: string, query: PageQuery): Promise<Page<Task>> {
  const [, tasks] = await Promise.all([requireReached(tx, caseId), page(tx, sql`t.case_id = ${caseId}`, query)])
  return tasks
}

export async function find(tx: Tx, id: string): Promise<Task> {
  const [task] = (await tx.rows(TaskRow, sql`select ${columns} where t.id = ${id}`)).map(opened(tx))
  if (!task) throw notFound()
  return task
}

export async function set(tx: Tx, caseId: string, { title, assigneeId, dueOn }: NewTask): Promise<string> {
  const id = randomUUIDv7()
  const text = sealedColumns.task.seal(await sealerFor(tx, { caseId, file: true }), [id], { title })
  const rows = await tx.execute(sql`
    insert into tasks (id, case_id, assignee_id, due_on, content)
    select ${id}, c.id, ${assigneeId}, ${dueOn}::date, ${text} from cases c where c.id = ${caseId} returning id`)
  if (!rows.length) throw notFound()
  return id
}

export async function change(tx: Tx, id: string, version: number, { title, ...given }: TaskChange): Promise<Task> {
  const found = await find(tx, id)
  const { assigneeId, dueOn } = { ...found, ...given }
  const content = title === undefined ? null : await entitle(tx, found, title)
  await tx.execute(sql`
    select app.change_task(${id}, ${version}, ${assigneeId ?? null}, ${dueOn ?? null}, ${content})`)
  return find(tx, id)
}

/**
 * Seals a new title. The database refuses one for a task that the system set; without a case there is no key to seal
 * it.
 */
async function entitle(tx: Tx, { id, caseId }: Task, title: string): Promise<Buffer> {
  if (!caseId) return Buffer.of()
  return sealedColumns.task.seal(await sealerFor(tx, { caseId, file: true }), [id], { title })
}

export async function complete(tx: Tx, id: string, version: number): Promise<Task> {
  await tx.execute(sql`select app.complete_task(${id}, ${version})`)
  return find(tx, id)
}
