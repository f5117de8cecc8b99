import { ofCase, ofCases } from '../../platform/http/audit.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { changeOne, makeOne, readOne, readPage } from '../../platform/http/replies.ts'
import { NewTask, Task, TaskChange, TaskPage, TaskQuery, TasksOfCaseQuery } from './contract.ts'
import * as tasks from './queries.ts'

const tags = ['Work']

export const taskRoutes: Routes = async app => {
  app.post(
    '/v1/cases/:id/tasks',
    {
      config: { permission: 'tasks:write', audit: ofCase, idempotency: 'accepted', problems: ['file-erased'] },
      schema: {
        operationId: 'setTask',
        summary: 'Sets a task for your organisation on the case.',
        tags,
        params: IdParams,
        body: NewTask,
        response: { 201: Task },
      },
    },
    (request, reply) =>
      makeOne(request, reply, {
        make: tx => tasks.set(tx, request.params.id, request.body),
        location: id => `/v1/tasks/${id}`,
        read: tasks.find,
      }),
  )
  app.get(
    '/v1/cases/:id/tasks',
    {
      config: { permission: 'cases:read', audit: ofCases },
      schema: {
        operationId: 'listTasksOfCase',
        summary: 'Lists the tasks of your organisation on the case, newest first, done tasks included.',
        tags,
        params: IdParams,
        querystring: TasksOfCaseQuery,
        response: { 200: TaskPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => tasks.listOf(tx, request.params.id, request.query)),
  )
  app.get(
    '/v1/tasks',
    {
      config: { permission: 'cases:read', audit: ofCases },
      schema: {
        operationId: 'listTasks',
        summary: 'Lists the tasks of your organisation, newest first; with `assignee=me` your own.',
        tags,
        querystring: TaskQuery,
        response: { 200: TaskPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => tasks.list(tx, request.query)),
  )
  app.get(
    '/v1/tasks/:id',
    {
      config: { permission: 'cases:read', audit: ofCase },
      schema: {
        operationId: 'getTask',
        summary: 'Returns one task.',
        tags,
        params: IdParams,
        response: { 200: Task },
      },
    },
    (request, reply) => readOne(request, reply, tx => tasks.find(tx, request.params.id)),
  )
  app.patch(
    '/v1/tasks/:id',
    {
      config: {
        permission: 'tasks:write',
        audit: ofCase,
        conditional: true,
        problems: ['task-done', 'task-of-the-system', 'file-erased'],
      },
      schema: {
        operationId: 'changeTask',
        summary:
          'Changes title, due day or assignee of a task. Only the assignee of a task that the system set can be changed.',
        tags,
        params: IdParams,
        body: TaskChange,
        response: { 200: Task },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => tasks.change(tx, request.params.id, version, request.body)),
  )
  app.post(
    '/v1/tasks/:id/completion',
    {
      config: {
        permission: 'tasks:write',
        audit: ofCase,
        conditional: true,
        problems: ['task-done', 'task-of-the-system', 'file-erased'],
      },
      schema: {
        operationId: 'completeTask',
        summary: 'Marks a task as done. A task that the system set is done when what it asks for has happened.',
        tags,
        params: IdParams,
        response: { 200: Task },
      },
    },
    (request, reply) => changeOne(request, reply, (tx, version) => tasks.complete(tx, request.params.id, version)),
  )
}
