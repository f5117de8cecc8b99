import { connect } from 'node:net'
import t from 'tap'
import { idempotencyKey, intake, registration, startService } from '../../support/service.ts'

t.test('the reply to bad input has a pointer to each fault and never contains the input', async t => {
  const { as } = await startService(t)
  const caseworker = await as('caseworker', 'sunrise')
  const bad = {
    ...registration('CANARY-NAME'),
    regionCode: 7,
    registeredOn: '2021-02-30',
    extra: 'CANARY-EXTRA',
    basis: { kind: 'consent' },
  }
  const response = await caseworker.post('/v1/cases', bad, idempotencyKey())
  t.equal(response.statusCode, 400)
  t.equal(response.headers['content-type'], 'application/problem+json')
  const problem = response.json()
  t.match(problem, { type: '/problems/invalid-request', status: 400, instance: '/v1/cases' })
  const pointers = problem.errors.map(({ pointer }: { pointer: string }) => pointer)
  for (const pointer of ['#/regionCode', '#/registeredOn', '#/extra', '#/basis/method'])
    t.ok(pointers.includes(pointer), pointer)
  t.notMatch(response.body, /CANARY/)

  const unknown = await caseworker.post(
    '/v1/cases',
    { ...registration(), regionCode: 'KZ-10', category: 'none_such', causes: ['trafficking_or_exploitation'] },
    idempotencyKey(),
  )
  t.same(
    unknown
      .json()
      .errors.map(({ pointer }: { pointer: string }) => pointer)
      .sort(),
    ['#/category', '#/causes/0', '#/regionCode'],
    'Abai was no region in 2021, and a sensitive cause belongs into another zone',
  )
  t.match((await caseworker.get('/v1/cases?limit=0&state=lost')).json(), {
    errors: [{ pointer: /^#\/query\// }, { pointer: /^#\/query\// }],
  })
  t.equal(
    (await caseworker.post('/v1/cases', '{', { 'content-type': 'application/json', ...idempotencyKey() })).statusCode,
    400,
  )
  t.equal(
    (
      await caseworker.post('/v1/cases', 'a=b', {
        'content-type': 'application/x-www-form-urlencoded',
        ...idempotencyKey(),
      })
    ).statusCode,
    415,
  )
  t.equal(
    (
      await caseworker.post('/v1/cases', JSON.stringify({ a: 'x'.repeat(300_000) }), {
        'content-type': 'application/json',
        ...idempotencyKey(),
      })
    ).statusCode,
    413,
  )
  t.equal((await caseworker.get('/v1/nothing-here')).statusCode, 404)
})

t.test('every reply has its headers, and every request logs one line without personal data', async t => {
  const { as, lines } = await startService(t)
  const caseworker = await as('caseworker', 'sunrise')
  const created = await caseworker.post('/v1/cases', registration('CANARY-NAME'), idempotencyKey())
  t.match(created.headers, {
    'cache-control': 'no-store',
    vary: 'Authorization',
    'x-request-id': /^[\da-f-]{36}$/,
    'x-content-type-options': 'nosniff',
    'content-security-policy': /default-src 'none'/,
  })
  t.notOk(created.headers['access-control-allow-origin'], 'CORS is closed')
  await caseworker.get('/v1/cases?region=CANARY-QUERY')
  await caseworker.get('/v1/cases/CANARY-PATH')
  await caseworker.send('PUT')('/v1/CANARY-URL', { a: 'CANARY-BODY' })
  t.equal(lines.length, 4)
  for (const line of lines) {
    t.notMatch(line, /CANARY|127\.0\.0\.1|Bearer/)
    t.match(JSON.parse(line), { reqId: String, method: String, route: String, status: Number, ms: Number })
  }
})

t.test('a key makes one resource, however often and with however many requests at once it is sent', async t => {
  const { as, owner, travel } = await startService(t)
  const [caseworker, colleague] = [await as('caseworker', 'sunrise'), await as('caseworker', 'sunrise', 1)]
  const key = idempotencyKey()
  t.equal((await caseworker.post('/v1/cases', registration())).statusCode, 400, 'a registration needs a key')
  const many = await Promise.all(Array.from({ length: 10 }, () => caseworker.post('/v1/cases', registration(), key)))
  const first = many[0]
  for (const response of many) {
    t.equal(response.statusCode, 201)
    t.equal(response.headers.location, first?.headers.location)
    t.same(response.json(), first?.json())
  }
  t.same([...(await owner`select count(*)::int as cases from cases`)], [{ cases: 1 }])
  t.match((await caseworker.post('/v1/cases', registration('Other'), key)).json(), {
    status: 422,
    type: '/problems/idempotency-key-reused',
  })
  t.equal((await colleague.post('/v1/cases', registration(), key)).statusCode, 201, 'each account has its own keys')
  const failing = idempotencyKey()
  t.equal((await caseworker.post('/v1/cases', intake(), failing)).statusCode, 400)
  t.equal(
    (await caseworker.post('/v1/cases', registration(), failing)).statusCode,
    201,
    'a failure does not use up the key',
  )
  await travel(2)
  const later = async () => (await caseworker.post('/v1/cases', registration(), key)).headers.location
  const next = await later()
  t.not(next, first?.headers.location, 'after its term a key makes a new resource')
  t.equal(await later(), next, 'and again only one')
})

t.test('of fifty changes with the same ETag, one succeeds', async t => {
  const { as } = await startService(t)
  const supervisor = await as('supervisor', 'committee')
  const made = await supervisor.post('/v1/campaigns', { name: 'One', startsOn: '2020-10-01' })
  const { location = '', etag = '' } = made.headers as Record<string, string>
  const change = (headers = {}) => supervisor.patch(location, { endsOn: '2022-12-31' }, headers)
  t.equal((await change()).statusCode, 428)
  t.equal((await change({ 'if-match': '"9"' })).statusCode, 412)
  const all = await Promise.all(Array.from({ length: 50 }, () => change({ 'if-match': etag })))
  t.same(all.map(({ statusCode }) => statusCode).sort(), [200, ...Array(49).fill(412)])
  const other = await as('supervisor', 'iom')
  t.equal((await other.patch(location, { name: 'Mine now' }, { 'if-match': '"2"' })).statusCode, 403)
})

t.test('following the links of pages returns every row once', async t => {
  const { as } = await startService(t)
  const caseworker = await as('caseworker', 'sunrise')
  for (let i = 0; i < 7; i++) await caseworker.post('/v1/cases', registration(), idempotencyKey())
  const seen: string[] = []
  let next: string | undefined = '/v1/cases?limit=3&state=registered&state=decided'
  while (next) {
    const page = await caseworker.get(next)
    seen.push(...page.json().items.map(({ id }: { id: string }) => id))
    await caseworker.post('/v1/cases', registration(), idempotencyKey())
    next = /<(.+)>; rel="next"/.exec(String(page.headers.link))?.[1]
  }
  t.equal(seen.length, 7)
  t.equal(new Set(seen).size, 7)
  t.equal((await caseworker.get('/v1/cases?cursor=nonsense')).statusCode, 400)
})

t.test('an account over its rate limit gets 429 with the time to wait', async t => {
  const { as } = await startService(t, { rateLimit: 3 })
  const [busy, quiet] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const answers = []
  for (let i = 0; i < 5; i++) answers.push(await busy.get('/v1/me'))
  t.same(
    answers.map(({ statusCode }) => statusCode),
    [200, 200, 200, 429, 429],
  )
  const refused = answers.find(({ statusCode }) => statusCode === 429)
  t.match(refused?.json(), { type: '/problems/too-many-requests' })
  t.ok(Number(refused?.headers['retry-after']) > 0)
  t.equal((await quiet.get('/v1/me')).statusCode, 200)
  const guesses = []
  for (let i = 0; i < 40; i++)
    guesses.push((await busy.send('GET')('/v1/me', undefined, { authorization: 'Bearer a.b.c' })).statusCode)
  t.same(guesses.slice(-3), [429, 429, 429], 'invalid tokens count for the address')
  t.equal((await busy.get('/health/ready')).statusCode, 200, 'health checks are not limited')
})

t.test('slow clients are disconnected', async t => {
  const { app } = await startService(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const slow = (start: string) =>
    new Promise<number>(resolve => {
      const from = performance.now()
      const client = connect(port, '127.0.0.1', () => client.write(start))
      const drip = setInterval(() => client.write('x'), 1_000)
      client
        .resume()
        .on('error', () => {})
        .on('close', () => {
          clearInterval(drip)
          resolve(performance.now() - from)
        })
    })
  const closed = await Promise.all([
    slow('GET /v1/me HTTP/1.1\r\nhost: x\r\nx-slow: '),
    slow('POST /v1/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{'),
  ])
  for (const ms of closed) t.ok(ms < 12_000, `closed after ${Math.round(ms)} ms`)
})

t.test('text that PostgreSQL cannot store is a fault of the request, in every part of it', async t => {
  const { as } = await startService(t)
  const [asel, head, officer] = [
    await as('caseworker', 'sunrise'),
    await as('supervisor', 'committee'),
    await as('officer', 'committee'),
  ]
  const post = async (who: typeof asel, url: string, body: object) =>
    (await who.post(url, body, idempotencyKey())).json()
  for (const family of ['a\0b', '\ud800'])
    t.match(await post(asel, '/v1/cases', registration(family)), {
      status: 400,
      errors: [{ pointer: '#/person/identity/names/0/family' }],
    })
  t.match(await post(head, '/v1/campaigns', { name: 'a\0', startsOn: '2020-01-01' }), {
    errors: [{ pointer: '#/name' }],
  })
  t.match(await post(head, '/v1/campaigns', { name: 'a', startsOn: '0000-01-01' }), {
    errors: [{ pointer: '#/startsOn' }],
  })
  for (const path of [
    '/v1/cases?region=%00',
    '/v1/organisations?region=%00',
    '/v1/code-lists/%00',
    '/v1/regions?asOf=0000-01-01',
  ])
    t.equal((await asel.get(path)).statusCode, 400, path)
  t.equal((await asel.get('/v1/cases/%E0%A4%A')).headers['content-type'], 'application/problem+json')
  for (const [who, url, type] of [
    [asel, '/v1/cases', 'text/plain'],
    [asel, '/v1/cases', 'application/json; charset=utf-16'],
    [officer, '/v1/imports', 'application/json'],
    [officer, '/v1/imports', 'text/plain'],
  ] as const)
    t.equal(
      (await who.post(url, '{}', { ...idempotencyKey(), 'content-type': type })).statusCode,
      415,
      `${url} as ${type}`,
    )
  t.equal(
    (await asel.post('/v1/cases', '', { ...idempotencyKey(), 'content-type': 'application/json' })).statusCode,
    400,
  )
  const empty = await asel.send('DELETE')('/v1/sessions/current', undefined, { 'content-type': 'application/json' })
  t.equal(empty.statusCode, 204, 'an empty body is accepted with the content type JSON')
  const { headers } = await asel.send('GET')('/v1/me', undefined, { authorization: 'Bearer nothing' })
  t.equal(headers['www-authenticate'], 'Bearer')
})
