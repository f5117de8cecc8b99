import t from 'tap'
import { inSql } from '../support/in-sql.ts'
import { closeTo, openTo } from '../support/opening.ts'
import { register } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, startService } from '../support/service.ts'

const urgent = { kind: 'urgent', reason: 'The flight is on Monday' }
const over = { reason: 'It has left' }

t.test('a flag is raised, and cleared once', async t => {
  const { as } = await startService(t)
  const [asel, dina] = [await as('caseworker', 'sunrise'), await as('supervisor', 'sunrise')]
  const { id } = await register(asel)
  const url = `/v1/cases/${id}/flags`
  const made = await asel.post(url, { ...urgent, dueOn: '2026-03-02' })
  const flag = made.json()
  t.equal(made.statusCode, 201)
  t.equal(made.headers.location, `/v1/flags/${flag.id}`)
  t.match(flag, {
    caseId: id,
    ...urgent,
    dueOn: '2026-03-02',
    raisedBy: asel.account,
    clearedBy: null,
    clearedAt: null,
    clearance: null,
    version: 1,
  })
  const at = `/v1/flags/${flag.id}`
  t.equal((await dina.post(`${at}/clearance`, over)).statusCode, 428)
  t.equal((await dina.post(`${at}/clearance`, {}, ifMatch(1))).statusCode, 400)
  t.equal((await dina.post(`${at}/clearance`, over, ifMatch(2))).statusCode, 412)
  t.match((await dina.post(`${at}/clearance`, over, ifMatch(1))).json(), {
    ...urgent,
    clearedBy: dina.account,
    clearedAt: String,
    clearance: over.reason,
    version: 2,
  })
  t.match((await dina.post(`${at}/clearance`, over, ifMatch(2))).json(), {
    status: 409,
    type: '/problems/flag-cleared',
  })
  t.match((await asel.get(at)).json(), { clearance: over.reason })
  t.match((await asel.post(url, { kind: 'red', reason: 'x' })).json(), {
    status: 400,
    errors: [{ pointer: '#/kind' }],
  })
  const { items } = (await asel.get('/v1/code-lists/flag')).json()
  for (const { code } of items) t.equal((await asel.post(url, { ...urgent, kind: code })).statusCode, 201, code)
  t.same(
    (await asel.get(url)).json().items.map((flag: { kind: string }) => flag.kind),
    ['legal_hold', 'deadline', 'risk_of_harm', 'follow_up', 'urgent', 'urgent'],
    'newest first',
  )
  const { nextCursor } = (await asel.get(`${url}?limit=5`)).json()
  t.match((await asel.get(`${url}?cursor=${nextCursor}`)).json().items, [{ id: flag.id }])
})

t.test('cases are filtered by the flags of the caller’s organisation', async t => {
  const { as, superuser } = await startService(t)
  const [asel, zarina] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const [flagged, other] = [await register(asel), await register(asel)]
  for (const { id } of [flagged, other]) await openTo(superuser, id, asel, zarina)
  const found = async (who: typeof asel, query: string) =>
    (await who.get(`/v1/cases?${query}`)).json().items.map((one: { id: string }) => one.id)
  const flag = (await asel.post(`/v1/cases/${flagged.id}/flags`, urgent)).json()
  await asel.post(`/v1/cases/${flagged.id}/flags`, { ...urgent, kind: 'deadline' })
  await zarina.post(`/v1/cases/${other.id}/flags`, urgent)
  t.same(await found(asel, 'flagged=true'), [flagged.id])
  t.same(await found(asel, 'flagged=false'), [other.id])
  t.same(await found(asel, 'flagged=true&state=registered'), [flagged.id])
  t.same(await found(asel, 'flagged=true&state=closed'), [])
  t.same(await found(zarina, 'flagged=true'), [other.id])
  t.same(await found(asel, 'flagged=true&updatedSince=2020-01-01T00:00:00Z&limit=1'), [flagged.id])
  await asel.post(`/v1/flags/${flag.id}/clearance`, over, ifMatch(1))
  t.same(await found(asel, 'flagged=true'), [flagged.id], 'another flag is open')
  const [left] = (await asel.get(`/v1/cases/${flagged.id}/flags`)).json().items
  await asel.post(`/v1/flags/${left.id}/clearance`, over, ifMatch(1))
  t.same(await found(asel, 'flagged=true'), [])
})

t.test('an organisation sees only its own flags, and only while the case is open to it', async t => {
  const service = await startService(t)
  const { as, superuser } = service
  const [asel, zarina] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const { id } = await register(asel)
  const url = `/v1/cases/${id}/flags`
  const ours = `/v1/flags/${(await asel.post(url, urgent)).json().id}`
  const hidden = async () => {
    t.equal((await zarina.get(url)).statusCode, 404)
    t.equal((await zarina.post(url, urgent)).statusCode, 404)
  }
  await hidden()
  await openTo(superuser, id, asel, zarina)
  t.same((await zarina.get(url)).json().items, [])
  t.equal((await zarina.get(ours)).statusCode, 404)
  t.equal((await zarina.post(`${ours}/clearance`, over, ifMatch(1))).statusCode, 404)
  const theirs = `/v1/flags/${(await zarina.post(url, { ...urgent, reason: 'Of its guest' })).json().id}`
  t.match((await zarina.get(url)).json().items, [{ reason: 'Of its guest' }])
  t.match((await asel.get(url)).json().items, [urgent])

  const sql = inSql(service)
  const clearing = (flag: string) => `select app.clear_flag('${flag.slice('/v1/flags/'.length)}', 1, '{}')`
  t.equal(await sql(zarina, 'select from flags'), 'changed 1')
  t.equal(await sql(zarina, clearing(ours)), 'QJ001 not-found')
  t.equal(await sql(zarina, clearing(theirs)), 'changed 1')
  await closeTo(superuser, id, zarina)
  await hidden()
  t.equal((await zarina.get(theirs)).statusCode, 404)
  t.equal((await zarina.post(`${theirs}/clearance`, over, ifMatch(1))).statusCode, 404)

  t.equal(await sql(zarina, clearing(theirs)), 'QJ001 not-found')
  t.equal(await sql(zarina, 'select from flags'), 'changed 0')
  for (const [who, text] of [
    [zarina, `insert into flags (id, case_id, kind, content) values (uuidv7(), '${id}', 'urgent', '{}')`],
    [asel, `update flags set cleared_at = now()`],
    [asel, `delete from flags`],
  ] as const)
    t.equal(await sql(who, text), '42501', text)
})

t.test('a request that is sent twice raises one flag', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { id } = await register(asel)
  const [key, url] = [idempotencyKey(), `/v1/cases/${id}/flags`]
  const [first, second] = [await asel.post(url, urgent, key), await asel.post(url, urgent, key)]
  t.same([second.statusCode, second.headers.location], [201, first.headers.location])
  t.equal((await asel.get(url)).json().items.length, 1)
})
