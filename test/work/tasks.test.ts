import t from 'tap'
import { inSql } from '../support/in-sql.ts'
import { closeTo, openTo } from '../support/opening.ts'
import { register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, type Service, startService } from '../support/service.ts'

async function begin(service: Service) {
  const [asel, dina, zarina] = await Promise.all([
    service.as('caseworker', 'sunrise'),
    service.as('supervisor', 'sunrise'),
    service.as('caseworker', 'common-home'),
  ])
  const { id } = await register(asel)
  const url = `/v1/cases/${id}/tasks`
  const set = async (body: object, who = asel) => {
    const response = await who.post(url, body)
    t.equal(response.statusCode, 201, response.body)
    return response.json()
  }
  return { id, url, asel, dina, zarina, set }
}

const nobody = { status: 400, errors: [{ pointer: '#/assigneeId' }] }

t.test('a task is set, assigned to others, and done', async t => {
  const service = await startService(t)
  const { id, url, asel, dina } = await begin(service)
  const made = await asel.post(url, { title: 'Ask the archive', assigneeId: dina.account, dueOn: '2020-03-02' })
  const task = made.json()
  t.equal(made.statusCode, 201)
  t.equal(made.headers.location, `/v1/tasks/${task.id}`)
  t.match(task, {
    kind: 'by_hand',
    caseId: id,
    grantId: null,
    referralId: null,
    title: 'Ask the archive',
    assigneeId: dina.account,
    dueOn: '2020-03-02',
    overdue: true,
    createdBy: asel.account,
    doneBy: null,
    doneAt: null,
    version: 1,
    allowedActions: ['edit', 'complete'],
  })
  const at = `/v1/tasks/${task.id}`
  t.equal((await asel.patch(at, { dueOn: null })).statusCode, 428)
  t.match((await asel.patch(at, { dueOn: null }, ifMatch(1))).json(), {
    title: 'Ask the archive',
    assigneeId: dina.account,
    dueOn: null,
    overdue: false,
    version: 2,
  })
  t.match((await asel.patch(at, { title: 'Ask it again', assigneeId: null }, ifMatch(2))).json(), {
    title: 'Ask it again',
    assigneeId: null,
    version: 3,
  })
  t.equal((await asel.patch(at, { dueOn: null }, ifMatch(2))).statusCode, 412)
  t.match((await asel.patch(at, { title: null, kind: 'renew_consent' }, ifMatch(3))).json().errors, [
    { pointer: '#/title' },
    { pointer: '#/kind' },
  ])
  t.equal((await dina.post(`${at}/completion`)).statusCode, 428)
  t.equal((await dina.post(`${at}/completion`, undefined, ifMatch(2))).statusCode, 412)
  t.match((await dina.post(`${at}/completion`, undefined, ifMatch(3))).json(), {
    doneBy: dina.account,
    version: 4,
    allowedActions: [],
  })
  const done = { status: 409, type: '/problems/task-done' }
  t.match((await dina.post(`${at}/completion`, undefined, ifMatch(4))).json(), done)
  t.match((await dina.patch(at, { dueOn: '2030-01-01' }, ifMatch(4))).json(), done)
  t.match((await asel.get(at)).json(), { doneBy: dina.account, doneAt: String })
})

t.test('a task is assigned only to an active account of the organisation', async t => {
  const service = await startService(t)
  const { url, asel, dina, zarina, set } = await begin(service)
  const other = await service.as('caseworker', 'sunrise', 1)
  const { id } = await set({ title: 'x', assigneeId: other.account })
  await service.owner`update accounts set status = 'disabled' where id = ${other.account}`
  for (const assigneeId of [zarina.account, other.account, crypto.randomUUID()]) {
    t.match((await asel.post(url, { title: 'x', assigneeId })).json(), nobody)
    const task = await set({ title: 'x' })
    t.match((await asel.patch(`/v1/tasks/${task.id}`, { assigneeId }, ifMatch(1))).json(), nobody)
  }
  t.match(
    (await asel.patch(`/v1/tasks/${id}`, { title: 'y' }, ifMatch(1))).json(),
    { title: 'y', assigneeId: other.account },
    'a disabled account stays the assignee until the task is assigned again',
  )
  t.match((await asel.patch(`/v1/tasks/${id}`, { assigneeId: dina.account }, ifMatch(2))).json(), {
    assigneeId: dina.account,
  })
})

t.test('tasks are listed by assignee, state, kind and due date', async t => {
  const service = await startService(t)
  const { url, asel, dina, set } = await begin(service)
  const elsewhere = await register(dina)
  const titles = async (query = '', of = '/v1/tasks') =>
    (await asel.get(`${of}${query}`)).json().items.map((task: { title: string }) => task.title)
  await set({ title: 'A', assigneeId: asel.account, dueOn: '2026-01-10' })
  await set({ title: 'B', assigneeId: dina.account, dueOn: '2026-01-20' })
  const { id } = await set({ title: 'C', assigneeId: asel.account })
  await dina.post(`/v1/cases/${elsewhere.id}/tasks`, { title: 'D' })
  await asel.post(`/v1/tasks/${id}/completion`, undefined, ifMatch(1))
  t.same(await titles(), ['D', 'C', 'B', 'A'])
  t.same(await titles('', url), ['C', 'B', 'A'])
  t.same(await titles('?assignee=me'), ['C', 'A'])
  t.same(await titles('?assignee=me&done=false'), ['A'])
  t.same(await titles('?done=true'), ['C'])
  t.same(await titles(`?assignee=${dina.account}`), ['B'])
  t.same(await titles('?dueBefore=2026-01-20'), ['A'])
  t.same(await titles('?dueBefore=2026-01-21'), ['B', 'A'])
  t.same(await titles('?kind=renew_consent'), [])
  t.same(await titles('?kind=by_hand&limit=1'), ['D'])
  for (const path of ['/v1/tasks', url]) {
    const { nextCursor } = (await asel.get(`${path}?limit=2`)).json()
    t.same(await titles(`?cursor=${nextCursor}`, path), path === url ? ['A'] : ['B', 'A'])
  }
  t.equal((await asel.get('/v1/tasks?assignee=you')).statusCode, 400)
})

t.test('an organisation sees only its own tasks, and only while the case is open to it', async t => {
  const service = await startService(t)
  const { id, url, asel, zarina, set } = await begin(service)
  const ours = `/v1/tasks/${(await set({ title: 'Of its owner' })).id}`
  const hidden = async () => {
    t.equal((await zarina.get(url)).statusCode, 404)
    t.equal((await zarina.post(url, { title: 'x' })).statusCode, 404)
    t.same((await zarina.get('/v1/tasks')).json().items, [])
  }
  await hidden()
  await openTo(service.superuser, id, asel, zarina)
  t.same((await zarina.get(url)).json().items, [])
  const theirs = `/v1/tasks/${(await set({ title: 'Of its guest' }, zarina)).id}`
  for (const [who, path] of [
    [zarina, ours],
    [asel, theirs],
  ] as const) {
    t.equal((await who.get(path)).statusCode, 404)
    t.equal((await who.patch(path, { title: 'x' }, ifMatch(1))).statusCode, 404)
    t.equal((await who.post(`${path}/completion`, undefined, ifMatch(1))).statusCode, 404)
  }
  t.match((await zarina.get('/v1/tasks')).json().items, [{ title: 'Of its guest' }])
  await closeTo(service.superuser, id, zarina)
  await hidden()
  t.equal((await zarina.get(theirs)).statusCode, 404)
  t.equal((await zarina.patch(theirs, { title: 'x' }, ifMatch(1))).statusCode, 404)
  t.equal((await zarina.post(`${theirs}/completion`, undefined, ifMatch(1))).statusCode, 404)
})

t.test('a task of the system can be assigned, and is done when what it asks for has happened', async t => {
  const service = await startService(t)
  const { id, asel, dina, zarina } = await begin(service)
  const { superuser } = service
  await openTo(superuser, id, asel, zarina)
  const [grant] = await superuser`select id from grants where recipient_id = ${zarina.organisation.id}`
  await superuser`select app.make_task('renew_consent', ${asel.organisation.id}, ${id}, ${grant?.id}, null, '2026-03-01')`
  const [task] = (await asel.get('/v1/tasks?kind=renew_consent')).json().items
  t.match(task, {
    caseId: id,
    grantId: grant?.id,
    title: null,
    createdBy: null,
    dueOn: '2026-03-01',
    allowedActions: ['edit'],
  })
  const at = `/v1/tasks/${task.id}`
  const ofTheSystem = { status: 409, type: '/problems/task-of-the-system' }
  t.match((await asel.post(`${at}/completion`, undefined, ifMatch(1))).json(), ofTheSystem)
  for (const body of [{ title: 'x' }, { dueOn: '2030-01-01' }, { dueOn: null }])
    t.match((await asel.patch(at, body, ifMatch(1))).json(), ofTheSystem)
  t.match((await asel.patch(at, { assigneeId: dina.account }, ifMatch(1))).json(), {
    assigneeId: dina.account,
    dueOn: '2026-03-01',
    version: 2,
  })
  await superuser`select app.finish_tasks('confirm_vital_interest', ${grant?.id}, null)`
  t.match((await asel.get(at)).json(), { doneAt: null }, 'another kind of task was finished')
  await superuser`select app.finish_tasks('renew_consent', ${grant?.id}, null)`
  t.match((await asel.get(at)).json(), { doneAt: String, version: 3, allowedActions: [] })

  await superuser`select app.make_task('acknowledge_revocation', ${zarina.organisation.id}, null, ${grant?.id}, null, null)`
  await closeTo(superuser, id, zarina)
  t.match(
    (await zarina.get('/v1/tasks')).json().items,
    [{ kind: 'acknowledge_revocation', caseId: null, grantId: grant?.id }],
    'a task without a case stays after the grant has closed',
  )
  const { items } = (await asel.get('/v1/code-lists/task_kind')).json()
  const codes = items.map(({ code }: { code: string }) => code).join(' ')
  t.equal(
    codes,
    'by_hand acknowledge_revocation answer_referral confirm_vital_interest renew_consent ask_person ask_about_openings',
  )
})

t.test('a request that is sent twice sets one task', async t => {
  const service = await startService(t)
  const { url, asel } = await begin(service)
  const [key, body] = [idempotencyKey(), { title: 'Once' }]
  const [first, second] = [await asel.post(url, body, key), await asel.post(url, body, key)]
  t.same([second.statusCode, second.headers.location], [201, first.headers.location])
  t.equal((await asel.get(url)).json().items.length, 1)
})

t.test('the database enforces the same rules', async t => {
  const service = await startService(t)
  const { id, asel, zarina, set } = await begin(service)
  const task = await set({ title: 'x' })
  await openTo(service.superuser, id, asel, zarina)
  const nurlan = await service.as('officer', 'turkistan')
  const sql = inSql(service)
  t.equal(await sql(asel, 'select from tasks'), 'changed 1')
  t.equal(await sql(zarina, 'select from tasks'), 'changed 0')
  t.equal(await sql(zarina, `select app.complete_task('${task.id}', 1)`), 'QJ001 not-found')
  t.equal(await sql(zarina, `select app.change_task('${task.id}', 1, null, null, '{}')`), 'QJ001 not-found')
  t.equal(await sql(asel, `select app.complete_task('${task.id}', 1)`), 'changed 1')
  const insert = (columns: string, values: string) =>
    `insert into tasks (id, case_id, content, ${columns}) values (uuidv7(), '${id}', '{"title": "x"}', ${values})`
  t.equal(await sql(asel, insert('due_on', 'null')), 'changed 1')
  t.equal(await sql(asel, insert('assignee_id', `'${zarina.account}'`)), '23503')
  for (const [who, text] of [
    [nurlan, insert('due_on', 'null')],
    [asel, insert('kind', `'renew_consent'`)],
    [asel, insert('organisation_id', `'${zarina.organisation.id}'`)],
    [asel, insert('created_by', `'${zarina.account}'`)],
    [asel, 'update tasks set done_at = null'],
    [asel, 'delete from tasks'],
    [asel, `select app.make_task('renew_consent', '${asel.organisation.id}', '${id}', null, null, null)`],
    [asel, `select app.finish_tasks('by_hand', null, null)`],
    [asel, `select app.open_task('${task.id}', 1)`],
  ] as const)
    t.equal(await sql(who, text), '42501', text)
  const theirs = await set({ title: 'x' }, zarina)
  t.equal(await sql(zarina, `select app.complete_task('${theirs.id}', 1)`), 'changed 1')
  await closeTo(service.superuser, id, zarina)
  t.equal(await sql(zarina, `select app.complete_task('${theirs.id}', 1)`), 'QJ001 not-found')
})
