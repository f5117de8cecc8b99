// Ids are the same in capitals and in small letters (RFC 9562). What is written under an id in capitals is sealed for the
// id as the database has it.
import t from 'tap'
import { findings } from '../../src/oversight/audit/holds.ts'
import { Id } from '../../src/platform/http/contract.ts'
import { offered, register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, startService } from '../support/service.ts'

const capitals = (id: string) => id.toUpperCase()

t.test('an id in capitals is the id in small letters', async t => {
  const id = crypto.randomUUID()
  t.equal(Id.parse(capitals(id)), id)
})

t.test('every zone, note, flag, task and grant written under an id in capitals opens', async t => {
  const { as, endpoint } = await startService(t)
  const [asel, dina, bolat] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'sunrise'),
    await as('officer', 'almaty-city'),
  ]
  const { id, ...one } = await register(asel)
  const url = `/v1/cases/${capitals(id)}`
  const { identity } = registration('Омарова').person
  const zones = {
    identity: [1, identity],
    contact: [0, { phones: ['+77019999999'] }],
    whereabouts: [0, { workplaces: [{ text: 'Market' }] }],
    protection: [0, { remarks: 'x' }],
  } as const
  for (const [zone, [version, content]] of Object.entries(zones)) {
    t.match(await asel.put(`${url}/person/${zone}`, content, ifMatch(version)), { statusCode: 200 }, zone)
    for (const path of [`/v1/cases/${id}`, url])
      for (const end of [`/person/${zone}`, `/person/${zone}/versions`])
        t.equal((await asel.get(path + end)).statusCode, 200, `${path}${end}`)
  }
  for (const path of [url, `/v1/cases/${id}`]) t.match((await asel.get(path)).json(), { id })
  t.match((await asel.post('/v1/cases/search', { names: ['Омарова'] })).json().items, [{ id }])

  const note = (await asel.post(`${url}/notes`, { text: 'first' })).json().id
  t.match(await asel.put(`/v1/notes/${capitals(note)}`, { text: 'second' }, ifMatch(1)), { statusCode: 200 })
  t.match((await asel.get(`/v1/notes/${note}`)).json(), { text: 'second' })
  const flag = (await asel.post(`${url}/flags`, { kind: 'urgent', reason: 'x' })).json().id
  t.match(await asel.post(`/v1/flags/${capitals(flag)}/clearance`, { reason: 'y' }, ifMatch(1)), { statusCode: 200 })
  const task = (await asel.post(`${url}/tasks`, { title: 'x', assigneeId: capitals(asel.account) })).json()
  t.match(task, { assigneeId: asel.account })
  t.match(await asel.patch(`/v1/tasks/${capitals(task.id)}`, { title: 'y' }, ifMatch(1)), { statusCode: 200 })
  await one.step(asel, { action: 'start_assessment' })
  const offer = await offered({ id, ...one }, asel, bolat.organisation)
  const decline = { decision: 'decline', reason: 'incomplete', note: 'No copy' }
  t.match(await bolat.post(`/v1/referrals/${capitals(offer.id)}/decision`, decline, ifMatch(1)), { statusCode: 200 })
  const [grant] = (await asel.get(`${url}/grants`)).json().items
  t.equal((await dina.get(`/v1/grants/${capitals(grant.id)}`)).statusCode, 200)
  t.same(await findings(endpoint('owner')), [])
})

t.test('the same request with its ids in capitals is a repeated request', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { id } = await register(asel)
  const key = idempotencyKey()
  const [first, again] = [
    await asel.post(`/v1/cases/${id}/notes`, { text: 'x' }, key),
    await asel.post(`/v1/cases/${capitals(id)}/notes`, { text: 'x' }, key),
  ]
  t.match([first.statusCode, again.statusCode], [201, 201])
  t.equal(again.json().id, first.json().id)
})
