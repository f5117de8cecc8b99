import t from 'tap'
import { decision, takenUp } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, startService } from '../../support/service.ts'

t.test('an If-Match that cannot be a tag of this service is a fault of the request', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { location = '' } = (await asel.post('/v1/cases', registration(), idempotencyKey())).headers
  const note = await asel.post(`${location}/notes`, { text: 'Called.' }, idempotencyKey())
  const changes = [
    (tag: string) => asel.put(String(note.headers.location), { text: 'Called twice.' }, { 'if-match': tag }),
    (tag: string) =>
      asel.post(`${location}/transitions`, { action: 'start_assessment' }, { ...idempotencyKey(), 'if-match': tag }),
  ]
  for (const change of changes) {
    for (const tag of ['', '1', 'W/"1"', '"a"', '*', '"1', '"1", "2"', '"-1"', '"1.0"', '"1234567890"'])
      t.match((await change(tag)).json(), {
        type: '/problems/invalid-request',
        errors: [{ pointer: '#/headers/if-match', detail: /^Expected the ETag/ }],
      })
    t.match((await change('"7"')).json(), { type: '/problems/precondition-failed' })
    t.equal((await change(`"1-${'0'.repeat(16)}"`)).statusCode, 200, 'what is before the hyphen is compared')
  }
})

t.test('an ETag names the version and the body, and a caller who has both gets 304', async t => {
  const { as, owner } = await startService(t)
  const [asel, head] = [await as('caseworker', 'sunrise'), await as('supervisor', 'sunrise')]
  const made = await asel.post('/v1/cases', registration(), idempotencyKey())
  const { location = '', etag = '' } = made.headers as Record<string, string>
  t.match(etag, /^"1-[\da-f]{16}"$/)
  const read = (given: string, method = 'GET', who = asel) =>
    who.send(method)(location, undefined, { 'if-none-match': given })
  const full = await asel.get(location)
  t.equal(full.headers.etag, etag, 'the reply to the registration has the tag of the case')
  for (const given of [etag, `W/${etag}`, `"0", ${etag}`, '*'])
    for (const method of ['GET', 'HEAD']) {
      const known = await read(given, method)
      t.same([known.statusCode, known.headers.etag, known.body], [304, etag, ''], `${method} ${given}`)
      t.notOk(known.headers['content-type'])
      t.ok([undefined, full.headers['content-length']].includes(known.headers['content-length']))
    }
  for (const given of ['"1"', etag.slice(1, -1), '', '"1-0123456789abcdef"'])
    t.equal((await read(given)).statusCode, 200, given)
  t.equal((await read(etag, 'GET', await as('caseworker', 'iom'))).statusCode, 404, 'a tag opens nothing')
  const [row] = await owner`select count(*)::int as entries from entries
    where operation = 'getCase' and outcome = 'done' and account_id = ${asel.account}`
  t.same(row, { entries: 13 }, 'a reply without a body has its audit entry too')
  t.equal((await asel.get('/v1/cases')).headers.etag, undefined)

  const { person } = full.json()
  const { version: _, ...identity } = person.identity
  const written = await asel.put(`${location}/person/identity`, { ...identity, sex: 'female' }, { 'if-match': '"1"' })
  t.equal((await read(etag)).statusCode, 200, 'the body has changed')
  const changed = (await asel.get(location)).headers.etag
  t.match(changed, /^"1-/, 'the version of the case has not')
  t.not(changed, etag)
  t.equal((await asel.get(`${location}/person/identity`)).headers.etag, written.headers.etag)
  const assigned = await head.patch(location, { assigneeId: head.account }, { 'if-match': etag })
  t.equal(assigned.statusCode, 200, 'a change needs the version only')
  t.match(assigned.headers.etag, /^"2-/)
})

t.test('the ETag of a reply belongs to what its Location names', async t => {
  const { as } = await startService(t)
  const [nurlan, kairat] = [await as('officer', 'turkistan'), await as('supervisor', 'turkistan')]
  const taken = await takenUp(nurlan)
  const proposed = await taken.propose(nurlan, decision)
  const confirm = () => kairat.post(`${proposed.headers.location}/confirmation`, undefined, { ...key, ...ifMatch(1) })
  const key = idempotencyKey()
  for (const confirmed of [await confirm(), await confirm()]) {
    t.equal(confirmed.headers.location, `/v1/cases/${taken.id}`)
    t.equal((await kairat.get(`/v1/cases/${taken.id}`)).headers.etag, confirmed.headers.etag)
  }
})
