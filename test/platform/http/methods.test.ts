import { METHODS } from 'node:http'
import t from 'tap'
import { idempotencyKey, registration, startService } from '../../support/service.ts'

type Document = { paths: Record<string, Record<string, { operationId: string }>> }

t.test('each path lists its methods, and refuses every other one before it asks who calls', async t => {
  const { app } = await startService(t)
  await app.ready()
  const { paths } = app.openapi() as Document
  for (const [path, operations] of Object.entries({
    ...paths,
    '/docs': { get: {} },
    '/problems/{name}': { get: {} },
  })) {
    const url = path.replaceAll(/\{\w+\}/g, crypto.randomUUID())
    const own = Object.keys(operations).map(method => method.toUpperCase())
    const allow = [...own, ...(own.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort()
    const options = await app.inject({ method: 'OPTIONS', url })
    t.same([options.statusCode, options.headers.allow, options.body], [204, allow.join(', '), ''], path)
    for (const method of METHODS.filter(method => method !== 'CONNECT' && !allow.includes(method))) {
      const refused = await app.inject({ method: method as 'GET', url })
      if (refused.statusCode !== 405 || refused.headers.allow !== allow.join(', ')) t.fail(`${method} ${path}`)
      if (method !== 'HEAD')
        t.match(refused.json(), { type: '/problems/method-not-allowed', status: 405, instance: url })
    }
  }
  for (const method of ['OPTIONS', 'PUT', 'PROPFIND'] as const)
    t.equal((await app.inject({ method: method as 'PUT', url: '/v1/nothing' })).statusCode, 404, `${method} of no path`)
})

t.test('of an unknown path no body is read', async t => {
  const { app } = await startService(t)
  for (const type of ['text/plain', 'application/json']) {
    const headers = { 'content-type': type }
    const unknown = await app.inject({ method: 'POST', url: '/v1/nothing', headers, payload: '{' })
    t.match(unknown.json(), { type: '/problems/not-found', status: 404, instance: '/v1/nothing' })
  }
})

t.test('a refused method reads no body', async t => {
  const { app } = await startService(t)
  const refused = await app.inject({
    method: 'POST',
    url: '/v1/me',
    headers: { 'content-type': 'text/plain' },
    payload: 'x'.repeat(300_000),
  })
  t.equal(refused.statusCode, 405)
})

t.test('HEAD answers as GET does, without the body and with an audit entry', async t => {
  const { app, as, owner } = await startService(t)
  const [asel, stranger] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const { location = '' } = (await asel.post('/v1/cases', registration(), idempotencyKey())).headers as {
    location?: string
  }
  const head = asel.send('HEAD')
  for (const url of [
    location,
    '/v1/cases?limit=1',
    `${location}/person/identity`,
    '/v1/me',
    '/openapi.yaml',
    '/docs/',
  ]) {
    const [got, headed] = [await asel.get(url), await head(url)]
    t.equal(headed.statusCode, got.statusCode, url)
    t.equal(headed.body, '', url)
    const { 'x-request-id': _, date: __, 'ratelimit-remaining': ___, 'ratelimit-reset': ____, ...same } = got.headers
    t.match(headed.headers, same, url)
  }
  t.equal((await stranger.send('HEAD')(location)).statusCode, 404)
  t.equal((await app.inject({ method: 'HEAD', url: location })).statusCode, 401)
  t.equal((await head('/v1/audit/entries')).statusCode, 403)
  const entries = await owner`select operation
    from entries where account_id = ${asel.account}`
  t.equal(entries.filter(({ operation }) => operation === 'getCase').length, 2, 'GET and HEAD')
})
