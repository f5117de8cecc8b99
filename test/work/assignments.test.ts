import t from 'tap'
import { openTo } from '../support/opening.ts'
import { register } from '../support/procedure.ts'
import { ifMatch, startService } from '../support/service.ts'

t.test('the assignees of a case are listed for the organisation that owned it then', async t => {
  const { as, superuser } = await startService(t)
  const [asel, dina, zarina] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'common-home'),
  ]
  const { id, step } = await register(asel)
  const url = `/v1/cases/${id}/assignments`
  const first = { assigneeId: asel.account, assignedBy: asel.account }
  const second = { assigneeId: dina.account, assignedBy: dina.account }
  t.match((await asel.get(url)).json(), { items: [{ ...first, assignedAt: String }] })
  await dina.patch(`/v1/cases/${id}`, { assigneeId: dina.account }, ifMatch(1))
  await dina.patch(`/v1/cases/${id}`, { assigneeId: dina.account }, ifMatch(2))
  await step(asel, { action: 'start_assessment' })
  t.match((await asel.get(url)).json().items, [second, first])
  t.equal((await asel.get(url)).json().items.length, 2, 'a step without a new assignee adds none')

  t.equal((await zarina.get(url)).statusCode, 404)
  await openTo(superuser, id, asel, zarina)
  t.same((await zarina.get(url)).json().items, [])
  await superuser`update cases set owner_id = ${zarina.organisation.id}, assignee_id = ${zarina.account} where id = ${id}`
  t.match((await zarina.get(url)).json().items, [{ assigneeId: zarina.account, assignedBy: null }])
  t.match((await asel.get(url)).json().items, [second, first])
  await t.rejects(superuser`update assignments set assignee_id = null`, { code: 'QJ001' })
})
