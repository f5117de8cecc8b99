import t from 'tap'
import { openTo } from '../support/opening.ts'
import { following, register } from '../support/procedure.ts'
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

t.test('an assignment is a version of the case for its owner, and shows in nothing to a recipient', async t => {
  const { as, superuser } = await startService(t)
  const [asel, dina, zarina] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('caseworker', 'common-home'),
  ]
  const { id } = await register(asel)
  await openTo(superuser, id, asel, zarina)
  const url = `/v1/cases/${id}`
  const seen = async (since: string) => {
    const [one, list] = [await zarina.get(url), await zarina.get(`/v1/cases?updatedSince=${since}`)]
    return { body: one.body, etag: one.headers.etag, changed: list.json().items.length }
  }
  const { syncedThrough: since } = (await zarina.get('/v1/cases?updatedSince=2020-01-01T00:00:00Z')).json()
  const before = await seen(since)
  t.equal(before.changed, 0)
  const assigned = await dina.patch(url, { assigneeId: dina.account }, ifMatch(1))
  t.match(assigned.json(), { version: 2, assigneeId: dina.account })
  t.same(await seen(since), before, 'the recipient sees the same')
  t.equal((await asel.get(`/v1/cases?updatedSince=${since}`)).json().items.length, 1, 'the owner is told')
  t.equal((await dina.patch(url, { assigneeId: asel.account }, ifMatch(1))).statusCode, 412)
  const one = following(id)
  t.equal((await one.stepOn(asel, 1, { action: 'start_assessment' })).statusCode, 412)
  t.equal((await one.stepOn(asel, 2, { action: 'start_assessment' })).statusCode, 200)
  t.match([(await one.read(asel)).version, (await one.read(zarina)).version], [3, 2])
  t.equal((await seen(since)).changed, 1, 'a step is told to both')
})
