import { z } from 'zod'
import { PageQuery } from '../../platform/db/page.ts'
import { Code, Day, Id, Instant, line, TrueOrFalse, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const Title = line(300)
const Assignee = Id.nullable().describe('An active account of your organisation.')

export const Task = z
  .object({
    id: Id,
    kind: z.string().describe('A code of the list `task_kind`.'),
    caseId: Id.nullable(),
    grantId: Id.nullable(),
    referralId: Id.nullable(),
    accountId: Id.nullable().describe('The account that the task is about. Only supervisors see such a task.'),
    title: z.string().nullable().describe('Null if the system set the task: its kind says what to do.'),
    assigneeId: Id.nullable(),
    dueOn: Day.nullable(),
    overdue: z.boolean(),
    createdBy: Id.nullable().describe('Null if the system set the task.'),
    createdAt: Instant,
    doneBy: Id.nullable(),
    doneAt: Instant.nullable(),
    version: Version,
    allowedActions: z.array(z.enum(['edit', 'complete'])),
  })
  .meta({ id: 'Task' })
export type Task = z.infer<typeof Task>

export const TasksOfCaseQuery = PageQuery
export const TaskQuery = PageQuery.extend({
  assignee: z.union([z.literal('me'), Id]).optional(),
  done: TrueOrFalse.optional(),
  kind: Code.optional(),
  dueBefore: Day.optional(),
})
export type TaskQuery = z.output<typeof TaskQuery>
export const TaskPage = pageContract('TaskPage', Task)

export const NewTask = z
  .strictObject({ title: Title, assigneeId: Assignee.default(null), dueOn: Day.nullable().default(null) })
  .meta({ id: 'NewTask', examples: [{ title: 'Ask the archive for the birth record', dueOn: '2026-03-02' }] })
export type NewTask = z.output<typeof NewTask>

export const TaskChange = z
  .strictObject({ title: Title, assigneeId: Assignee, dueOn: Day.nullable() })
  .partial()
  .meta({ id: 'TaskChange', examples: [{ dueOn: '2026-03-09' }] })
export type TaskChange = z.output<typeof TaskChange>
