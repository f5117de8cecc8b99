import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
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

type Operation = {
  operationId: string
  summary: string
  description: string
  security?: object[]
  tags: string[]
  parameters: ({ name: string } | { $ref: string })[]
  requestBody?: { content: Record<string, { schema: { $ref?: string; examples?: string[] } }> }
  responses: Record<string, { headers?: object }>
}
type Document = {
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { examples?: object[] }>; parameters: Record<string, { name: string }> }
}
