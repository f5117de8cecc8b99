// What is not text in UTF-8, names an object has twice, and unknown query parameters are refused, with a pointer, and
// nothing of them is kept.
import fc from 'fast-check'
import t from 'tap'
import { refuseRepeatedNames } from '../../../src/platform/http/json.ts'
import { Problem } from '../../../src/problem.ts'
import { idempotencyKey, registration, startService } from '../../support/service.ts'

const json = { 'content-type': 'application/json' }
const countOf = (sql: import('postgres').Sql) => sql`select count(*)::int as n from cases`.then(([row]) => row?.n)

t.test('a body that is not UTF-8 is refused at each route that takes one, and nothing is kept', async t => {
  const { app, as, superuser } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const body = Buffer.from(JSON.stringify(registration('Ïðèìåðîâ')), 'latin1') // Примеров in windows-1251
  const refused = await asel.post('/v1/cases', body, { ...json, ...idempotencyKey() })
  t.match(refused, { statusCode: 400 })
  t.same(refused.json().errors, [
    { pointer: '#/person/identity/names/0/family', detail: 'Expected text in UTF-8' },
    { pointer: '#/person/identity/names/0/given', detail: 'Expected text in UTF-8' },
  ])
  t.equal(await countOf(superuser), 0)
  const broken = Buffer.concat([Buffer.from('{"a":'), Buffer.of(0xff), Buffer.from('}')])
  t.same((await asel.post('/v1/cases', broken, { ...json, ...idempotencyKey() })).json().errors, [
    { pointer: '#', detail: 'Expected text in UTF-8' },
  ])
  const { paths } = app.openapi() as { paths: Record<string, Record<string, { requestBody?: object }>> }
  let tried = 0
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { requestBody }] of Object.entries(methods)) {
      if (!requestBody || !('application/json' in (requestBody as { content: object }).content)) continue
      const url = path.replaceAll(/\{\w+\}/g, crypto.randomUUID())
      const answer = await asel.send(method.toUpperCase() as 'POST')(url, broken, { ...json, ...idempotencyKey() })
      t.match(answer.json(), { status: 400, errors: [{ pointer: '#' }] }, `${method} ${path}`)
      tried++
    }
  t.ok(tried > 30)
})

t.test('a name that an object has twice is refused with its place', async t => {
  const { as, superuser } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const text = JSON.stringify(registration()).replace('"sex":', '"sex":"female","s\\u0065x":')
  const refused = await asel.post('/v1/cases', text, { ...json, ...idempotencyKey() })
  t.match(refused.json(), { status: 400, errors: [{ pointer: '#/person/identity/sex' }] })
  t.equal(await countOf(superuser), 0)
})

t.test('no JSON text that an object wrote has a repeated name, and each one with a name twice is found', async () => {
  const repeated = (text: string): boolean => {
    try {
      refuseRepeatedNames(text)
      return false
    } catch (error) {
      return error instanceof Problem
    }
  }
  fc.assert(fc.property(fc.jsonValue(), value => !repeated(JSON.stringify(value, null, 1))))
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), fc.jsonValue(), (name, one, other) => {
      const pair = (value: unknown) => `${JSON.stringify(name)}:${JSON.stringify(value)}`
      return repeated(`[{"a":[{${pair(one)}, ${pair(other)}}]}]`) && !repeated(`[{${pair(one)}},{${pair(other)}}]`)
    }),
  )
})

t.test(
  'a query that is not UTF-8 is refused, and so is an unknown parameter at each route, which is not kept',
  async t => {
    const { app, as, superuser } = await startService(t)
    const asel = await as('caseworker', 'sunrise')
    t.same((await asel.get('/v1/cases?region=%CA%C7')).json().errors, [
      { pointer: '#/query/region', detail: 'Expected text in UTF-8, percent-encoded' },
    ])
    t.match((await asel.get('/v1/cases?region=KZ-75&region=KZ%2D61&limit=1')).statusCode, 200)
    const { paths } = app.openapi() as { paths: Record<string, Record<string, object>> }
    let tried = 0
    for (const [path, methods] of Object.entries(paths))
      for (const method of Object.keys(methods)) {
        const url = path.replaceAll(/\{\w+\}/g, crypto.randomUUID())
        for (const name of ['%00', 'CANARY-900101300007', '%FF'])
          t.match(
            await asel.send(method.toUpperCase() as 'POST')(`${url}?${name}=1`, undefined, idempotencyKey()),
            { statusCode: 400 },
            `${method} ${path}?${name}`,
          )
        tried++
      }
    t.ok(tried > 90)
    const [{ n } = {}] = await superuser`
    select count(*)::int as n from entries where convert_from(content, 'UTF8') like '%CANARY%'`
    t.equal(n, 0, 'no name of an unknown parameter is in the audit log')
  },
)
