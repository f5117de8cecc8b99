import type { FastifyInstance, RouteOptions } from 'fastify'
import type { z } from 'zod'
import { ProblemDetails, type ProblemName, problems } from '../../problem.ts'
import { jsonSchema } from './contract.ts'

type Json = Record<string, unknown>

declare module 'fastify' {
  interface FastifyInstance {
    openapi(): Json
  }
  interface FastifyContextConfig {
    /** What this operation can answer beyond what its declaration implies. */
    problems?: readonly ProblemName[]
    /** Not part of the API document: its own pages. */
    hidden?: boolean
  }
  interface FastifySchema {
    /** Media types of a good answer beside JSON. */
    produces?: readonly string[]
    operationId?: string
    summary?: string
    description?: string
    tags?: readonly string[]
  }
}

type Described = {
  operationId?: string
  summary?: string
  description?: string
  tags?: readonly string[]
  params?: z.ZodType
  querystring?: z.ZodType
  body?: z.ZodType
  consumes?: string
  produces?: readonly string[]
  response?: Record<string, z.ZodType>
}

/** Keeps each route as it registers, so that the document describes what is served. */
export function openapi(app: FastifyInstance, document: Json) {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => {
    if (!route.config?.hidden) routes.push(route)
  })
  app.decorate('openapi', () => describe(routes, document))
}

function describe(routes: readonly RouteOptions[], document: Json): Json {
  const schemas: Json = {}
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const { $defs = {}, $schema: _, ...json } = jsonSchema(schema, { io }) as Json & { $defs?: Json }
    Object.assign(schemas, asComponents($defs))
    return referred(asComponents(json), schemas)
  }
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [String(route.method).toLowerCase()]: operation(route, schemaOf) }
  }
  schemaOf(ProblemDetails, 'output')
  return {
    ...document,
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function operation(
  { schema = {}, config = {} }: RouteOptions,
  schemaOf: (s: z.ZodType, io: 'input' | 'output') => Json,
): Json {
  const {
    params,
    querystring,
    body,
    response = {},
    consumes = 'application/json',
    produces = [],
    ...rest
  } = schema as Described
  const { permission = 'public' } = config
  const responses = Object.entries(response).map(([status, reply]) => [
    status,
    {
      description: reply.description ?? successes[status] ?? 'OK',
      headers: successHeaders(status, reply, config),
      ...(status !== '204' && {
        content: {
          ...(reply.meta()?.type !== 'string' && { 'application/json': { schema: schemaOf(reply, 'output') } }),
          ...Object.fromEntries(produces.map(type => [type, { schema: { type: 'string' } }])),
        },
      }),
    },
  ])
  return {
    ...rest,
    ...(permission === 'public' ? { security: [] } : { security: [{ bearer: [] }], 'x-permission': permission }),
    parameters: [
      ...parameters('path', params),
      ...parameters('query', querystring),
      ...(config.idempotency
        ? [header('Idempotency-Key', config.idempotency === 'required', 'one-key-for-each-thing', told.key)]
        : []),
      ...(config.conditional ? [header('If-Match', true, '"1"', told.ifMatch)] : []),
    ],
    ...(body && { requestBody: { required: true, content: { [consumes]: { schema: schemaOf(body, 'input') } } } }),
    responses: Object.fromEntries([...responses, ...problemResponses(possibleProblems(schema as Described, config))]),
  }
}

const told = {
  key: 'A key of your own for this request, kept for 24 hours: sent again with the same body, nothing happens twice.',
  ifMatch: 'The `ETag` that you read last: nobody writes over what they have not seen.',
}

const responseHeader = (description: string) => ({ description, schema: { type: 'string' } })

/** What comes with a good answer, by what its route and its contract declare. */
function successHeaders(status: string, reply: z.ZodType, config: RouteOptions['config'] = {}) {
  const { properties = {} } = jsonSchema(reply)
  return {
    ...('version' in properties && { ETag: responseHeader('The version, for `If-Match`.') }),
    ...('nextCursor' in properties && { Link: responseHeader('The next page, with `rel="next"`.') }),
    ...(status !== '200' && config.idempotency && { Location: responseHeader('Where it stands.') }),
  }
}

const successes: Record<string, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'Done' }

/** What a route can answer by what it declares. */
export function possibleProblems(
  { params, querystring, body }: Described,
  config: RouteOptions['config'] = {},
): ProblemName[] {
  const names: ProblemName[] = ['too-many-requests', 'unavailable', ...(config.problems ?? [])]
  if (config.permission !== 'public') names.push('unauthorized', 'forbidden')
  if (params || querystring || body || config.idempotency) names.push('invalid-request')
  if (body) names.push('too-large', 'unsupported-media-type')
  if (params) names.push('not-found')
  if (config.idempotency) names.push('idempotency-key-reused')
  if (config.idempotency === 'required') names.push('idempotency-key-required')
  if (config.conditional) names.push('precondition-required', 'precondition-failed')
  return names
}

function problemResponses(names: readonly ProblemName[]) {
  const byStatus = Map.groupBy([...names].sort(), name => problems[name][0])
  return [...byStatus].map(([status, sameStatus]) => [
    status,
    {
      description: sameStatus.map(name => problems[name][1]).join('; '),
      ...([429, 503].includes(status) && {
        headers: { 'Retry-After': responseHeader('Seconds after which it is worth another try.') },
      }),
      content: {
        'application/problem+json': {
          schema: { $ref: '#/components/schemas/ProblemDetails' },
          examples: Object.fromEntries(
            sameStatus.map(name => [name, { value: { type: `/problems/${name}`, title: problems[name][1], status } }]),
          ),
        },
      },
    },
  ])
}

function parameters(place: 'path' | 'query', schema: z.ZodType | undefined) {
  if (!schema) return []
  const { properties = {}, required = [] } = jsonSchema(schema, { io: 'input' })
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as Json
    return { name, in: place, required: required.includes(name), ...(description ? { description } : {}), schema: rest }
  })
}

const header = (name: string, required: boolean, example: string, description: string) => ({
  name,
  description,
  in: 'header',
  required,
  schema: { type: 'string' },
  example,
})

const asComponents = (json: Json): Json =>
  JSON.parse(JSON.stringify(json).replaceAll('#/$defs/', '#/components/schemas/'))

/** A schema with an id of its own stands among the components, and is referred to. */
function referred(json: Json, schemas: Json): Json {
  const { id, ...schema } = json
  if (typeof id !== 'string') return json
  schemas[id] = schema
  return { $ref: `#/components/schemas/${id}` }
}
