import type { FastifyInstance, RouteOptions } from 'fastify'
import type { z } from 'zod'
import { ProblemDetails, type ProblemName, problems } from '../../problem.ts'
import { kindsOf, type Office, offices, type Permission, permissions, Role } from '../access/permissions.ts'
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
  let described: Json | undefined
  app.decorate('openapi', () => {
    described ??= describe(routes, document)
    return described
  })
}

/** What operations share, by kind and name; each is written once and referred to. */
class Components {
  readonly schemas: Json = {}
  readonly responses: Json = {}
  readonly headers: Json = {}

  schema(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $defs = {}, $schema: _, ...json } = jsonSchema(schema, { io }) as Json & { $defs?: Json }
    Object.assign(this.schemas, asComponents($defs))
    const { id, ...own } = asComponents(json)
    if (typeof id !== 'string') return own
    this.schemas[id] = own
    return ref('schemas', id)
  }

  response(name: string, response: Json): Json {
    this.responses[name] = response
    return ref('responses', name)
  }

  header(name: keyof typeof headers): Json {
    this.headers[name] = { description: headers[name], schema: { type: 'string' } }
    return ref('headers', name)
  }
}

const ref = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` })

/** Headers of replies. `x-request-id`, `cache-control` and `ratelimit-*` come with every one: see the document's text. */
const headers = {
  ETag: 'The version of the resource (of a step: of its case), for `If-Match`.',
  Link: 'The next page, with `rel="next"`; none on the last one.',
  Location: 'Where the resource can be read.',
  'Retry-After': 'Seconds after which another try is worth it.',
} as const

function describe(routes: readonly RouteOptions[], document: Json): Json {
  const components = new Components()
  components.schema(ProblemDetails, 'output')
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [String(route.method).toLowerCase()]: operation(route, components) }
  }
  const { schemas, responses, headers } = components
  return {
    ...document,
    paths,
    components: {
      schemas: sorted(schemas),
      responses: sorted(responses),
      parameters: shareParameters(
        Object.values(paths).flatMap(methods => Object.values(methods as Json) as Operation[]),
      ),
      headers: sorted(headers),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

const sorted = (json: Json): Json => Object.fromEntries(Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1)))

type Operation = Json & { parameters: Json[] }

function operation({ schema = {}, config = {} }: RouteOptions, components: Components): Operation {
  const {
    params,
    querystring,
    body,
    response = {},
    consumes = 'application/json',
    produces = [],
    description,
    ...rest
  } = schema as Described
  const { permission = 'public' } = config
  const responses = Object.entries(response).map(([status, reply]) => [
    status,
    {
      description: reply.description ?? successes[status] ?? 'OK',
      ...successHeaders(reply, config, components),
      ...(status !== '204' && {
        content: {
          ...(reply.meta()?.type !== 'string' && {
            'application/json': { schema: components.schema(reply, 'output') },
          }),
          ...Object.fromEntries(produces.map(type => [type, { schema: { type: 'string' } }])),
        },
      }),
    },
  ])
  return {
    ...rest,
    description: [...(description ? [description] : []), accessOf(config)].join('\n\n'),
    ...(permission === 'public' ? { security: [] } : { security: [{ bearer: [] }], 'x-permission': permission }),
    parameters: [
      ...parameters('path', params),
      ...parameters('query', querystring),
      ...(config.idempotency
        ? [header('Idempotency-Key', config.idempotency === 'required', 'one-key-for-each-thing', requestHeaders.key)]
        : []),
      ...(config.conditional ? [header('If-Match', true, '"1"', requestHeaders.ifMatch)] : []),
    ],
    ...(body && {
      requestBody: { required: true, content: { [consumes]: { schema: components.schema(body, 'input') } } },
    }),
    responses: Object.fromEntries([
      ...responses,
      ...problemResponses(possibleProblems(schema as Described, config), components),
    ]),
  }
}

/** Who may call an operation, and what it leaves behind, in words. */
function accessOf({ permission = 'public', audit }: NonNullable<RouteOptions['config']>): string {
  const needs =
    permission === 'public'
      ? 'Needs no access token.'
      : `Needs the permission \`${permission}\`: ${holdersOf(permission)}.`
  return `${needs} ${audit === 'nothing' ? 'Writes no audit entry.' : 'Writes an audit entry.'}`
}

function holdersOf(permission: Permission): string {
  const held = permissions[permission] as readonly Office[]
  if (held.length === offices.length) return 'every account'
  return Role.options
    .flatMap(role => {
      const kinds = kindsOf[role].filter(kind => held.includes(`${role}@${kind}`))
      return kinds.length ? [`${role} (${kinds.join(', ')})`] : []
    })
    .join(', ')
}

const requestHeaders = {
  key: 'A key of your own for this request. Sent again with the same body within 24 hours, it changes nothing and gets the same reply.',
  ifMatch: 'The `ETag` that you read last. The request is refused if the resource has changed since.',
}

/** What comes with a good answer, by what its route and its contract declare. */
function successHeaders(reply: z.ZodType, config: NonNullable<RouteOptions['config']>, components: Components): Json {
  const { shape = {} } = reply as Partial<z.ZodObject>
  const names = [
    ...('version' in shape || 'case' in shape ? (['ETag'] as const) : []),
    ...('nextCursor' in shape ? (['Link'] as const) : []),
    ...(config.idempotency ? (['Location'] as const) : []),
  ]
  return names.length ? { headers: Object.fromEntries(names.map(name => [name, components.header(name)])) } : {}
}

const successes: Record<string, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'Done' }

/** What any operation can answer: described once, as the response `default`. */
const common: readonly ProblemName[] = ['unauthorized', 'forbidden', 'too-many-requests', 'internal', 'unavailable']

/** What a route can answer beside that, by what it declares. */
export function possibleProblems(
  { params, querystring, body }: Described,
  config: RouteOptions['config'] = {},
): ProblemName[] {
  const names: ProblemName[] = [...(config.problems ?? [])]
  if (params || querystring || body || config.idempotency) names.push('invalid-request')
  if (body) names.push('too-large', 'unsupported-media-type')
  if (params) names.push('not-found')
  if (config.idempotency) names.push('idempotency-key-reused')
  if (config.idempotency === 'required') names.push('idempotency-key-required')
  if (config.conditional) names.push('precondition-required', 'precondition-failed')
  return names
}

function problemResponses(names: readonly ProblemName[], components: Components) {
  const own = names.filter(name => !common.includes(name))
  const byStatus = Map.groupBy([...new Set(own)].sort(), name => problems[name][0])
  // A status of its own hides the default one: what is common with that status is described with it.
  const named = [...byStatus].map(([status, names]) => {
    const all = [...names, ...common.filter(name => problems[name][0] === status)]
    return [status, components.response(all.map(pascal).join('Or'), problemResponse(all))] as const
  })
  return [...named, ['default', components.response('Problem', problemResponse(common, components))] as const]
}

const pascal = (name: string) => name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())

const problemResponse = (names: readonly ProblemName[], components?: Components): Json => ({
  description: names.map(name => `${problems[name][0]} ${problems[name][1]}`).join('; '),
  ...(components && { headers: { 'Retry-After': components.header('Retry-After') } }),
  content: {
    'application/problem+json': {
      schema: ref('schemas', 'ProblemDetails'),
      examples: Object.fromEntries(
        names.map(name => {
          const [status, title] = problems[name]
          return [name, { value: { type: `/problems/${name}`, title, status } }]
        }),
      ),
    },
  },
})

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

/** Refers each operation to the parameters that it has in common with others. Gives those, by name. */
function shareParameters(operations: readonly Operation[]): Json {
  const uses = Map.groupBy(
    operations.flatMap(({ parameters }) => parameters),
    parameter => JSON.stringify(parameter),
  )
  const shared: Json = {}
  const names = new Map<string, string>()
  for (const [text, same] of [...uses].sort(([, a], [, b]) => b.length - a.length)) {
    const { name: given = '', required } = same[0] as { name?: string; required?: boolean }
    const name = pascal(required && pascal(given) in shared ? `required-${given}` : given)
    if (same.length === 1 || name in shared) continue
    shared[name] = same[0]
    names.set(text, name)
  }
  for (const operation of operations)
    operation.parameters = operation.parameters.map(parameter => {
      const name = names.get(JSON.stringify(parameter))
      return name ? ref('parameters', name) : parameter
    })
  return sorted(shared)
}
