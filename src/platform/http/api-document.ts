import type { FastifyInstance, RouteOptions } from 'fastify'
import { z } from 'zod'
import { ProblemDetails } from '../../problem.ts'
import type { ProblemName } from '../../problems.ts'
import { kindsOf, type Office, offices, type Permission, permissions, Role } from '../access/permissions.ts'
import {
  Components,
  type Json,
  type Operation,
  parameters,
  shareParameters,
  sorted,
  withMappings,
  withParents,
} from './api-components.ts'
import { possibleProblems, problemResponses } from './api-problems.ts'

declare module 'fastify' {
  interface FastifyInstance {
    openapi(): Json
  }
  interface FastifyContextConfig {
    /** Problems of this operation, besides those that its declaration implies. */
    problems?: readonly ProblemName[]
    /** The route is not in the API document: the pages of the documentation itself. */
    hidden?: boolean
  }
  interface FastifySchema {
    /** Media types of a successful reply in addition to JSON. */
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

/** Collects the routes as they register, so that the document describes exactly what is served. */
export function openapi(app: FastifyInstance, document: Json) {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', route => {
    if (!route.config?.hidden && route.method !== 'HEAD') routes.push(route)
  })
  let described: Json | undefined
  app.decorate('openapi', () => {
    described ??= describe(routes, document)
    return described
  })
}

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
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: sorted(withParents(withMappings(schemas))),
      responses: sorted(responses),
      parameters: shareParameters(
        Object.values(paths).flatMap(methods => Object.values(methods as Json) as Operation[]),
      ),
      headers: sorted(headers),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  }
}

function operation({ method, schema = {}, config = {} }: RouteOptions, components: Components): Operation {
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
  const mayBeKnown = method === 'GET' && isTagged(response[200])
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
    ...(permission === 'public' ? { security: [] } : { 'x-permission': permission }),
    parameters: [
      ...parameters('path', params),
      ...parameters('query', querystring),
      ...(config.idempotency
        ? [header('Idempotency-Key', config.idempotency === 'required', 'one-key-for-each-thing', requestHeaders.key)]
        : []),
      ...(config.conditional ? [header('If-Match', true, '"1"', requestHeaders.ifMatch)] : []),
      ...(mayBeKnown ? [header('If-None-Match', false, '"1-0123456789abcdef"', requestHeaders.ifNoneMatch)] : []),
    ],
    ...(body && {
      requestBody: { required: true, content: { [consumes]: { schema: components.schema(body, 'input') } } },
    }),
    responses: Object.fromEntries([
      ...responses,
      ...(mayBeKnown
        ? [['304', { description: 'You have it already.', headers: { ETag: components.header('ETag') } }]]
        : []),
      ...problemResponses(possibleProblems(method, schema as Described, config), components),
    ]),
  }
}

/** Returns a sentence on who may call an operation and whether it writes an audit entry. */
function accessOf({ permission = 'public', audit }: NonNullable<RouteOptions['config']>): string {
  const needs =
    permission === 'public' ? 'Needs no access token.' : `Needs \`${permission}\`: ${holdersOf(permission)}.`
  return `${needs} ${audit === 'nothing' ? 'Not audited.' : 'Audited.'}`
}

/** The roles that have a permission, and where: a role alone has it in every organisation. */
function holdersOf(permission: Permission): string {
  const held = permissions[permission] as readonly Office[]
  if (held.length === offices.length) return 'every account'
  return Role.options
    .flatMap(role => {
      const kinds = kindsOf[role].filter(kind => held.includes(`${role}@${kind}`))
      if (!kinds.length) return []
      return [kinds.length === kindsOf[role].length ? role : `${role} (${kinds.join(', ')})`]
    })
    .join(', ')
}

const requestHeaders = {
  key: 'A key of your own for this request. Sent again with the same body within 24 hours, it changes nothing and gets the same reply.',
  ifMatch: 'The `ETag` that you read last. Refused if the version before its hyphen is not the current one.',
  ifNoneMatch: 'The `ETag` of what you have, or several. If it would be sent again, the reply is 304 without a body.',
}

/** Whether a reply has an `ETag`: it is a resource with a version, or has the case that a step changed. */
function isTagged(reply: z.ZodType | undefined): boolean {
  const { version, case: of } = (reply as Partial<z.ZodObject> | undefined)?.shape ?? {}
  return Boolean(version) || (of instanceof z.ZodNullable && isTagged(of.unwrap() as z.ZodType))
}

/** Returns the headers of a successful reply, by what its route and its contract declare. */
function successHeaders(reply: z.ZodType, config: NonNullable<RouteOptions['config']>, components: Components): Json {
  const { shape = {} } = reply as Partial<z.ZodObject>
  const names = [
    ...(isTagged(reply) ? (['ETag'] as const) : []),
    ...('nextCursor' in shape ? (['Link'] as const) : []),
    ...(config.idempotency ? (['Location'] as const) : []),
  ]
  return names.length ? { headers: Object.fromEntries(names.map(name => [name, components.header(name)])) } : {}
}

const successes: Record<string, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'Done' }

const header = (name: string, required: boolean, example: string, description: string) => ({
  name,
  description,
  in: 'header',
  required,
  schema: { type: 'string' },
  example,
})
