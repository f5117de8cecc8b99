import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startService } from '../../support/service.ts'

const head = (line: string, ...headers: string[]) => [line, 'host: x', ...headers, '', ''].join('\r\n')
const chunked = head('POST /v1/sessions HTTP/1.1', 'content-type: application/json', 'transfer-encoding: chunked')

/** Sends bytes, and returns what came back until the connection was closed. */
const exchange = (port: number, bytes: string) =>
  new Promise<string>((resolve, reject) => {
    let received = ''
    const client = connect(port, '127.0.0.1', () => client.write(bytes))
      .on('data', data => (received += data))
      .on('error', reject)
      .on('close', () => resolve(received))
  })

function parsed(text: string) {
  const [top = '', body = ''] = text.split('\r\n\r\n')
  const [start = '', ...lines] = top.split('\r\n')
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  return { status: Number(start.split(' ')[1]), headers, body }
}

/** Waits for the line of a request, and returns it. */
async function logged(lines: readonly string[], id: string) {
  const find = () => lines.map(line => JSON.parse(line)).filter(({ reqId }) => reqId === id)
  while (!find().length) await setImmediate()
  return find()[0]
}

async function listening(test: Test) {
  const service = await startService(test)
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = service.app.server.address() as { port: number }
  return { ...service, port }
}

t.test('a request that cannot be read is answered as every other one, and its connection is closed', async t => {
  const { app, port, lines } = await listening(t)
  const usual = (await app.inject('/health/live')).headers
  const bad: [name: string, bytes: string, status: number, type: string][] = [
    ['no request line', 'nonsense\r\n\r\n', 400, 'invalid-request'],
    ['an unknown method', head('BREW /v1/me HTTP/1.1'), 400, 'invalid-request'],
    ['an unknown version', head('GET /v1/me HTTP/7.3'), 400, 'invalid-request'],
    ['a bad header', head('GET /v1/me HTTP/1.1', 'bad header: 1'), 400, 'invalid-request'],
    ['two lengths', head('GET /v1/me HTTP/1.1', 'content-length: 1', 'content-length: 2'), 400, 'invalid-request'],
    ['a bad chunk', `${chunked}zz\r\n`, 400, 'invalid-request'],
    ['a long URL', head(`GET /v1/cases?cursor=${'x'.repeat(17_000)} HTTP/1.1`), 431, 'headers-too-large'],
    ['long headers', head('GET /v1/me HTTP/1.1', `x-long: ${'x'.repeat(400_000)}`), 431, 'headers-too-large'],
    ['long extensions of a chunk', `${chunked}1;${'x'.repeat(17_000)}\r\n{\r\n0\r\n\r\n`, 413, 'too-large'],
  ]
  for (const [name, bytes, status, type] of bad) {
    const answer = parsed(await exchange(port, bytes))
    t.equal(answer.status, status, name)
    const { connection, date, 'content-length': length, 'content-type': media, ...rest } = answer.headers
    t.match({ connection, date, media }, { connection: 'close', date: /GMT$/, media: 'application/problem+json' }, name)
    t.equal(Number(length), Buffer.byteLength(answer.body), name)
    for (const each of ['content-security-policy', 'x-content-type-options', 'cache-control', 'vary'])
      t.equal(rest[each], usual[each], `${name}: ${each}`)
    const problem = JSON.parse(answer.body)
    t.match(problem, { type: `/problems/${type}`, status, requestId: rest['x-request-id'] }, name)
    t.equal((await app.inject(problem.type)).statusCode, 200, `${problem.type} is explained`)
    const line = await logged(lines, problem.requestId)
    const waited = bytes.startsWith(chunked) // Fastify waited for its body
    t.match(line, { level: 30, ...(waited ? { route: '/v1/sessions' } : { route: 'none', status }) }, name)
  }
})

t.test('a URL that no route can take is answered as every other one, and is one line of the log', async t => {
  const { app, lines } = await startService(t)
  const usual = (await app.inject('/health/live')).headers
  const { 'content-length': _, 'content-type': __, date: ___, 'x-request-id': ____, ...common } = usual
  for (const url of ['/v1/cases/%zz', '/v1/cases/%C0%AF', `/v1/cases/${'x'.repeat(201)}`, '/nowhere/%']) {
    const answer = await app.inject({ url, headers: { authorization: 'Bearer x' } })
    t.equal(answer.statusCode, 400, url)
    t.match(answer.headers, { ...common, 'content-type': 'application/problem+json' }, url)
    const { requestId } = answer.json()
    t.equal(answer.headers['x-request-id'], requestId, url)
    t.match(await logged(lines, requestId), { level: 30, method: 'GET', route: 'none', status: 400 }, url)
  }
})

t.test('what Node would refuse by itself is answered by the service', async t => {
  const { port } = await listening(t)
  const answer = async (...lines: string[]) =>
    parsed(await exchange(port, [...lines, 'connection: close', '', ''].join('\r\n')))
  const hostless = await answer('GET /health/live HTTP/1.1')
  t.match(JSON.parse(hostless.body), { status: 400, errors: [{ pointer: '#/headers/host' }] })
  t.equal((await answer('GET /health/live HTTP/1.0')).status, 200, 'HTTP/1.0 has no Host')
  t.equal((await answer('GET /health/live HTTP/1.1', 'host: x', 'expect: tea')).status, 200)
})

t.test('a request that is too slow is answered with 408', async t => {
  const { port } = await listening(t)
  const length = 'content-length: 1000'
  const slow = [
    'GET /v1/me HTTP/1.1\r\nhost: x\r\nx-slow: ',
    `${head('POST /v1/sessions HTTP/1.1', 'content-type: application/json', length)}{`,
  ]
  for (const answer of (await Promise.all(slow.map(bytes => exchange(port, bytes)))).map(parsed)) {
    t.equal(answer.status, 408)
    t.match(JSON.parse(answer.body), { type: '/problems/request-timeout', requestId: answer.headers['x-request-id'] })
  }
})

t.test('nothing is written to a connection that the client has closed', async t => {
  const { port, app } = await listening(t)
  const written: string[] = []
  app.server.on('connection', socket => {
    const end = socket.end.bind(socket)
    socket.end = ((...given: [string]) => {
      written.push(String(given[0]))
      return end(...given)
    }) as typeof socket.end
  })
  await new Promise<void>(resolve => {
    const client = connect(port, '127.0.0.1', () => {
      client.write('GET /v1/me HTTP/1.1\r\nx-', () => client.resetAndDestroy())
    }).on('close', () => resolve())
  })
  const { status } = parsed(await exchange(port, 'nonsense\r\n\r\n'))
  t.equal(status, 400, 'the service goes on')
  t.equal(written.filter(text => text.startsWith('HTTP')).length, 1)
})

t.test('a client that goes away while it sends is one line of the log, and no error', async t => {
  const { as, lines, port, owner } = await listening(t)
  const [asel, officer] = [await as('caseworker', 'sunrise'), await as('officer', 'committee')]
  const begun = (who: typeof asel, path: string, type: string, sent: string) =>
    `${head(
      `POST ${path} HTTP/1.1`,
      `authorization: Bearer ${who.accessToken}`,
      `content-type: ${type}`,
      'content-length: 100000',
      'idempotency-key: k',
    )}${sent}`
  const sendings = [
    begun(asel, '/v1/cases', 'application/json', '{"a":'),
    begun(officer, '/v1/imports', 'text/csv', 'externalId,'),
  ]
  for (const bytes of sendings)
    for (const how of ['end', 'destroy', 'resetAndDestroy'] as const) {
      lines.length = 0
      const client = connect(port, '127.0.0.1', () => client.write(bytes, () => setTimeout(() => client[how](), 50)))
      client.resume().on('error', () => {})
      while (!lines.length) await setImmediate()
      await new Promise(resolve => setTimeout(resolve, 50))
      t.match(
        lines.map(line => JSON.parse(line)),
        [{ level: 30, method: 'POST', msg: 'request did not arrive in full' }],
      )
      t.equal(lines.length, 1)
    }
  const [row] = await owner`select count(*)::int as jobs from jobs`
  t.same(row, { jobs: 0 }, 'what had arrived of an import is removed')
})
