// What the fuzz knows of the service: openapi.yaml, and nothing of src.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export type Schema = {
  $ref?: string
  type?: string | string[]
  format?: string
  description?: string
  pattern?: string
  enum?: string[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: Schema | boolean
  items?: Schema
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  examples?: unknown[]
}
type Ref = { $ref?: string }
export type Parameter = Ref & { name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: Schema }
export type Response = Ref & {
  description?: string
  headers?: Record<string, object>
  content?: Record<string, { schema: Schema }>
}
export type Problem = { type: string; title: string; status: number }
type Described = {
  operationId: string
  'x-permission'?: string
  security?: object[]
  parameters: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, Response>
}
export type Operation = {
  id: string
  path: string
  method: string
  permission: string | undefined
  parameters: Parameter[]
  body: { type: string; schema: Schema } | undefined
  responses: Record<string, Response>
}

type Components = {
  schemas: Record<string, Schema>
  parameters: Record<string, Parameter>
  responses: Record<string, Response>
}
export const document: { paths: Record<string, Record<string, Described>>; components: Components } = parse(
  readFileSync('openapi.yaml', 'utf8'),
)

const nameOf = (ref: string) => ref.split('/').at(-1) ?? ''
export const schemaOf = (schema: Schema): Schema =>
  schema.$ref ? schemaOf(document.components.schemas[nameOf(schema.$ref)] ?? {}) : schema
const parameterOf = (given: Parameter) =>
  given.$ref ? (document.components.parameters[nameOf(given.$ref)] as Parameter) : given
const responseOf = (given: Response) =>
  given.$ref ? (document.components.responses[nameOf(given.$ref)] as Response) : given

export const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => {
    const [content] = Object.entries(described.requestBody?.content ?? {})
    return {
      id: described.operationId,
      path,
      method: method.toUpperCase(),
      permission: described['x-permission'],
      parameters: described.parameters.map(parameterOf),
      body: content && { type: content[0], schema: content[1].schema },
      responses: Object.fromEntries(
        Object.entries(described.responses).map(([status, response]) => [status, responseOf(response)]),
      ),
    }
  }),
)

/** The operation that reads what another path changes: the same path, or the one above it. */
export const readingOf = ({ path }: Operation): Operation | undefined => {
  const reads = (at: string) => operations.find(one => one.method === 'GET' && one.path === at && /\}|person/.test(at))
  const own = reads(path)
  return own?.responses['304'] ? own : reads(path.replace(/\/[\w-]+$/, ''))
}

/** The problems that a response lists in its description. */
export const problemsOf = (response: Response | undefined): Problem[] =>
  [...(response?.description ?? '').matchAll(/(\d{3}) `([\w-]+)`: ([^;]+)/g)].map(([, status, name, title = '']) => ({
    type: `/problems/${name}`,
    title,
    status: Number(status),
  }))
