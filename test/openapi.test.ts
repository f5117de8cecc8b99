import { readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { Document } from './support/api-document.ts'
import { startService } from './support/service.ts'

t.test('openapi.yaml is up to date (npm run openapi rewrites it)', async t => {
  const { app } = await startService(t)
  await app.ready()
  t.same(parse(readFileSync('openapi.yaml', 'utf8')), JSON.parse(JSON.stringify(app.openapi())))
})

t.test('every tag is declared, described and used, and every operation describes who may call it', async t => {
  const { app } = await startService(t)
  await app.ready()
  const { paths, tags } = app.openapi() as Document
  const operations = Object.values(paths).flatMap(methods => Object.values(methods))
  const used = new Set(operations.flatMap(({ tags }) => tags))
  t.same(
    [...used].filter(tag => !tags.some(({ name }) => name === tag)),
    [],
    'declared',
  )
  t.same(
    tags.filter(({ name, description }) => !used.has(name) || description.length < 10),
    [],
    'described and used',
  )
  for (const { operationId, description, security } of operations)
    t.match(
      description,
      security?.length === 0
        ? /Needs no access token\. (Not audited|Audited)\.$/
        : /Needs `[a-z]+:[a-z]+`: .+\. (Not audited|Audited)\.$/,
      operationId,
    )
})

t.test('components shared by operations are defined once', async t => {
  const { app } = await startService(t)
  await app.ready()
  const { paths } = app.openapi() as Document
  const operations = Object.values(paths).flatMap(methods => Object.values(methods))
  const parameters = operations.flatMap(({ parameters }) => parameters).filter(parameter => !('$ref' in parameter))
  const texts = parameters.map(parameter => JSON.stringify(parameter))
  t.equal(new Set(texts).size, texts.length, 'parameters')
  for (const { operationId, responses } of operations) {
    const problems = Object.entries(responses).filter(([status]) => !(Number(status) < 400))
    t.ok(
      problems.every(([, response]) => '$ref' in (response as object)),
      `problems of ${operationId} are references`,
    )
    t.ok('default' in responses, `${operationId} has the common problems`)
  }
})

t.test('every operation can answer what the admission of its caller refuses', async t => {
  const { app } = await startService(t)
  await app.ready()
  const { components } = app.openapi() as Document
  for (const problem of ['unauthorized', 'forbidden', 'second-factor-missing'])
    t.match(components.responses.Problem?.description, `\`${problem}\``)
})

t.test('openapi.yaml is small: at most 300 kB', async t => {
  t.ok(statSync('openapi.yaml').size <= 300_000, `${statSync('openapi.yaml').size} bytes`)
})

/** Calls `visit` with each object of a schema. */
function everyObject(value: unknown, visit: (object: Record<string, unknown>) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) visit(value as Record<string, unknown>)
  for (const inner of Object.values(value)) everyObject(inner, visit)
}

t.test('generators get names: unions have a discriminator, and what is written and read has one schema', async t => {
  const { app } = await startService(t)
  await app.ready()
  const { paths, components } = JSON.parse(JSON.stringify(app.openapi())) as Document
  everyObject(components.schemas, ({ oneOf, discriminator }) => {
    if (!oneOf) return
    const { mapping = {} } = (discriminator ?? {}) as { mapping?: object }
    t.same(
      Object.values(mapping),
      (oneOf as { $ref: string }[]).map(({ $ref }) => $ref),
      JSON.stringify(oneOf),
    )
  })
  everyObject(paths, ({ schema }) => {
    const { enum: values = [] } = (schema ?? {}) as { enum?: string[] }
    t.notOk(values.includes('true'), 'a boolean of a query is a boolean')
  })
  const written = new Set(
    Object.values(paths).flatMap(methods =>
      Object.values(methods).flatMap(({ requestBody }) => [...reached(requestBody, components.schemas)]),
    ),
  )
  for (const [name, schema] of Object.entries(components.schemas))
    if (!written.has(name) && !/^\w+Version$/.test(name))
      everyObject(schema, object => t.not(object.additionalProperties, false, `${name} may get further fields`))
  t.same(
    ['Basis', 'Birth', 'CaseAction', 'CaseState', 'Consent', 'Party', 'Purpose', 'Representative', 'Zone'].filter(
      name => !(name in components.schemas),
    ),
    [],
  )
})

/** The names of the schemas that a value refers to, directly or not. */
function reached(value: unknown, schemas: Record<string, object>, found = new Set<string>()): Set<string> {
  everyObject(value, ({ $ref }) => {
    const [, name = ''] = /^#\/components\/schemas\/(\w+)$/.exec(String($ref)) ?? []
    if (!name || found.has(name)) return
    found.add(name)
    reached(schemas[name], schemas, found)
  })
  return found
}
