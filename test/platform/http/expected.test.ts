// Faults of a request have our own messages, with what was expected and an example, never those of zod.
import t from 'tap'
import { idempotencyKey, ifMatch, registration, startService } from '../../support/service.ts'

type Schema = { $ref?: string; examples?: object[] }
type Document = {
  paths: Record<
    string,
    Record<string, { operationId: string; requestBody?: { content: Record<string, { schema: Schema }> } }>
  >
  components: { schemas: Record<string, Schema> }
}
type Fault = { pointer: string; detail: string }

t.test('each fault names what was expected', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { person, ...rest } = registration()
  const identity = person.identity
  const cases: [change: object, pointer: string, detail: string][] = [
    [{ category: undefined }, '#/category', 'Missing: expected text'],
    [{ category: 7 }, '#/category', 'Expected text'],
    [
      { category: 'Any Thing' },
      '#/category',
      'Expected a code of lower-case letters, digits and _, for example ussr_passport_1974',
    ],
    [{ registeredOn: '4 March' }, '#/registeredOn', 'Expected a day, for example 2021-03-04'],
    [{ registeredOn: '1700-01-01' }, '#/registeredOn', 'Expected 1800-01-01 or later'],
    [{ campaignId: 'x' }, '#/campaignId', 'Expected an id (UUID), for example 0193f0a4-0000-7000-8000-000000000001'],
    [{ basis: { kind: 'wish' } }, '#/basis/kind', 'Expected one of: consent, statute'],
    [{ basis: { kind: 'statute' } }, '#/basis/legalReference', 'Missing: expected text'],
    [{ colour: 'red' }, '#/colour', 'Not a field of this request'],
    [{ causes: {} }, '#/causes', 'Expected a list'],
    [
      { person: { identity: { ...identity, sex: 'f' } } },
      '#/person/identity/sex',
      'Expected one of: male, female, other, unknown',
    ],
    [{ person: { identity: { ...identity, names: 3 } } }, '#/person/identity/names', 'Expected a list, or "unknown"'],
    [
      { person: { identity: { ...identity, names: [{ kind: 'official' }] } } },
      '#/person/identity/names/0',
      'Expected at least one of family, given, patronymic',
    ],
  ]
  for (const [change, pointer, detail] of cases) {
    const answer = await asel.post('/v1/cases', { ...rest, person, ...change }, idempotencyKey())
    t.match(answer.json(), { status: 400, errors: [{ pointer, detail }] }, `${pointer}: ${detail}`)
  }
  const listed = await asel.get('/v1/cases?limit=0&cursor=x')
  t.match(listed.json().errors, [{ pointer: '#/query/limit', detail: 'Expected a number of at least 1' }])
})

t.test('an instant has any offset, to the microsecond', async t => {
  const { as, owner } = await startService(t)
  const [asel, auditor] = [await as('caseworker', 'sunrise'), await as('auditor', 'oversight')]
  const { id } = (await asel.post('/v1/cases', registration(), idempotencyKey())).json()
  const [row] = await owner`select to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') as second,
    to_char(updated_at, 'US') as micros from case_access where case_id = ${id}`
  const { second, micros } = row as { second: string; micros: string }
  const at = (offset: string, hours: number, fraction: string) =>
    `${new Date(Date.parse(`${second}Z`) + hours * 3_600_000).toISOString().slice(0, 19)}.${fraction}${offset}`
  const later = String(Number(micros) + 1).padStart(6, '0')
  const since = async (instant: string) => {
    const listed = await asel.get(`/v1/cases?updatedSince=${instant}`)
    t.equal(listed.statusCode, 200, instant)
    return listed.json().items.map((found: { id: string }) => found.id)
  }
  for (const [offset, hours] of [
    ['Z', 0],
    ['%2B05:00', 5],
    ['+05:00', 5],
    ['-03:30', -3.5],
    ['%2B00:00', 0],
  ] as const) {
    t.same(await since(at(offset, hours, micros)), [id], `at the same instant, with ${offset}`)
    t.same(await since(at(offset, hours, later)), [], `a microsecond later, with ${offset}`)
    const entries = await auditor.get(`/v1/audit/entries?case=${id}&to=${at(offset, hours - 1, micros)}`)
    t.same(entries.json().items, [])
  }
  const detail = 'Expected an instant with its offset, for example 2021-03-04T09:30:00Z or 2021-03-04T14:30:00+05:00'
  for (const wrong of ['2021-03-04', '2021-03-04T09:30:00', '2021-03-04T25:00:00Z', '2021-03-04T09:30:00+5', 'x 05:00'])
    t.match((await asel.get(`/v1/cases?updatedSince=${wrong}`)).json(), {
      errors: [{ pointer: '#/query/updatedSince', detail }],
    })
  for (const wrong of ['9999-12-31T23:00:00-05:00', '0000-01-01T00:00:00+05:00', '1799-12-31T23:59:59Z'])
    t.match((await asel.get(`/v1/cases?updatedSince=${wrong}`)).json(), {
      errors: [{ pointer: '#/query/updatedSince', detail: 'Expected 1800-01-01 or later' }],
    })
})

t.test('no fault of any request has a message of zod', async t => {
  const { app, as, organisation } = await startService(t)
  await app.ready()
  const { paths, components } = app.openapi() as Document
  const everybody = await Promise.all([
    as('caseworker', 'sunrise'),
    as('supervisor', 'committee'),
    as('administrator', 'operator'),
  ])
  const id = organisation('sunrise').id
  let refused = 0
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { operationId, requestBody }] of Object.entries(methods)) {
      const name = requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1) ?? ''
      const [example] = components.schemas[name]?.examples ?? []
      if (!example) continue
      const url = path.replace('{id}', id).replace('{relationId}', id).replace('{list}', 'outcome')
      const wrong = Object.keys(example).flatMap(field =>
        [7, null, 'Ж', [], {}, [{}]].map(value => ({ ...example, [field]: value })),
      )
      for (const body of [{}, [], ...wrong]) {
        const headers = { ...ifMatch(1), ...idempotencyKey() }
        for (const who of everybody) {
          const answer = await who.send(method.toUpperCase() as 'POST')(url, body, headers)
          if (answer.statusCode !== 400) continue
          refused++
          const { errors = [] } = answer.json() as { errors?: Fault[] }
          const foreign = errors.filter(({ detail }) =>
            /^Invalid|received|[Uu]nrecognized|^Too |undefined/.test(detail),
          )
          t.same(foreign, [], `${operationId} ${JSON.stringify(body).slice(0, 80)}`)
          break
        }
      }
    }
  t.ok(refused > 300, `${refused} requests were refused`)
})

t.test('each problem has a page with its meaning and what to do next', async t => {
  const { app, as } = await startService(t)
  const { type } = (
    await (await as('caseworker', 'sunrise')).get('/v1/cases/0193f0a4-0000-7000-8000-000000000001')
  ).json()
  const page = await app.inject(type)
  t.equal(page.statusCode, 200)
  t.match(page.json(), { type, status: 404, title: 'Not found', meaning: /open to you/, next: /owner/ })
  t.equal((await app.inject('/problems/none')).statusCode, 404)
})
