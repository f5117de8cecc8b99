import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { document, operations, problemsOf, type Response, type Schema } from './document.ts'
import { canary } from './hostile.ts'
import type { Sent } from './requests.ts'

export type Reply = { status: number; headers: Record<string, string | undefined>; body: string }

/** `sent`: over a connection; `odd`: so that it may be another operation, or no HTTP. */
export type How = 'injected' | 'sent' | 'odd'

const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
const absolute = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value).replaceAll('"#/components/', '"document#/components/'))
ajv.addSchema({ $id: 'document', components: { schemas: absolute(document.components.schemas) } })
const compiled = new Map<Schema, ReturnType<typeof ajv.compile>>()

/** Returns where a value differs from a schema of the document. */
function differences(schema: Schema, value: unknown): string[] {
  const check = compiled.get(schema) ?? ajv.compile(absolute(schema))
  compiled.set(schema, check)
  return check(value) ? [] : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

/** Every problem that the document lists for any operation. */
const listed = operations.flatMap(({ responses }) => Object.values(responses).flatMap(problemsOf))
/** What a request gets that belongs to no operation, or is no HTTP: `info.description` of the document says so. */
const outside = [400, 404, 405, 413, 415, 431]

/** Returns what is wrong with a reply, by the document; nothing of it depends on the sources of the service. */
export function faultsOf(sent: Sent, reply: Reply, how: How = 'injected'): string[] {
  const raw = how !== 'injected'
  const { status, headers, body } = reply
  const { operation, method } = sent
  const faults = status >= 500 ? [`status ${status}`] : []
  faults.push(...commonHeaders(reply))
  if (how === 'odd')
    return status < 400 || !body ? faults : [...faults, ...problem(sent, reply, [...listed, notAllowed], raw)]
  if (method === 'OPTIONS' && status === 204) return headers.allow ? faults : [...faults, 'OPTIONS without Allow']
  if (!operation || (raw && [400, 413, 431].includes(status))) {
    if (status < 400) faults.push(`status ${status} for what the document does not have`)
    else if (!outside.includes(status) && status !== 401) faults.push(`status ${status} outside of the operations`)
    if (status === 405 && !headers.allow) faults.push('405 without Allow')
    return method === 'HEAD' ? faults : [...faults, ...problem(sent, reply, [...listed, notAllowed], raw)]
  }
  if (status < 400 && operation.path.startsWith('/v1/') && !headers['ratelimit-limit'])
    faults.push('no ratelimit-limit')
  const response: Response | undefined = operation.responses[status]
  const common = problemsOf(operation.responses.default).filter(one => one.status === status)
  if (!response && !common.length) faults.push(`the document does not list the status ${status}`)
  if (method === 'HEAD') return body ? [...faults, 'a body for HEAD'] : faults
  if (status >= 400) return [...faults, ...problem(sent, reply, [...problemsOf(response), ...common], raw)]
  for (const name of ['ETag', 'Location', 'Link', 'Retry-After']) {
    const [given, documented] = [headers[name.toLowerCase()], name in (response?.headers ?? {})]
    if (given !== undefined && !documented) faults.push(`the document does not list the header ${name}`)
    if (given === undefined && documented && name !== 'Link') faults.push(`the header ${name} is missing`)
  }
  const type = headers['content-type']?.split(';')[0] ?? ''
  if (!response?.content) return body || type ? [...faults, 'a body that the document does not have'] : faults
  const content = response.content[type]
  if (!content) return [...faults, `the document does not list the type ${type}`]
  const value = type === 'application/json' ? parsed(body) : body
  faults.push(...differences(content.schema, value))
  faults.push(...accepted(sent))
  const { items } = (value ?? {}) as { items?: unknown[] }
  if (headers.link && !items?.length) faults.push('a next page after an empty one')
  return faults
}

const notAllowed = { type: '/problems/method-not-allowed', title: 'This path does not have this method', status: 405 }

/** The service said yes: neither the body nor a parameter was something that the document forbids. */
function accepted({ operation, url, body }: Sent): string[] {
  const faults: string[] = []
  if (operation?.body?.type === 'application/json') {
    const wrong = differences(operation.body.schema, parsed(String(body)))
    if (wrong.length) faults.push(`a body was accepted that the document forbids: ${wrong.slice(0, 3)}`)
  }
  const known = operation?.parameters.filter(one => one.in === 'query').map(({ name }) => name) ?? []
  for (const part of url.split('#')[0]?.split('?')[1]?.split('&') ?? []) {
    const [name = ''] = part.split('=')
    if (part && !known.includes(name)) faults.push(`an unknown parameter was accepted: ${name}`)
  }
  return faults
}

function commonHeaders({ status, headers }: Reply): string[] {
  const faults: string[] = []
  if (!/^[\da-f-]{36}$/.test(headers['x-request-id'] ?? '')) faults.push('no x-request-id')
  if (headers['cache-control'] !== 'no-store') faults.push('no cache-control')
  if ([429, 503].includes(status) && !/^\d+$/.test(headers['retry-after'] ?? ''))
    faults.push(`${status} without Retry-After`)
  if (status === 401 && !headers['www-authenticate']) faults.push('401 without WWW-Authenticate')
  return faults
}

/** Checks problem details: those that the document lists for this, and without a text of the caller. */
function problem(
  { operation, url }: Sent,
  { status, headers, body }: Reply,
  expected: { type: string; title: string; status: number }[],
  raw: boolean,
): string[] {
  if (headers['content-type'] !== 'application/problem+json') return [`a problem of type ${headers['content-type']}`]
  const given = parsed(body) as Record<string, unknown> | undefined
  const faults = differences({ $ref: '#/components/schemas/ProblemDetails' }, given)
  if (!given) return faults
  const { type, title, instance, requestId, errors } = given
  if (given.status !== status) faults.push(`its status is ${given.status}`)
  if (requestId !== headers['x-request-id']) faults.push('its requestId is another one')
  if (!raw && operation && instance !== url.split('?')[0]) faults.push(`its instance is ${instance}`)
  if (!expected.some(one => one.type === type && one.status === status))
    faults.push(`the document does not list ${type} here`)
  else if (!expected.some(one => one.type === type && one.title === title)) faults.push(`${type} has another title`)
  const details = (errors as { detail: string }[] | undefined)?.map(({ detail }) => detail)
  if (JSON.stringify([type, title, given.detail, details]).includes(canary)) faults.push('it has a text of the caller')
  return faults
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, '')) // RFC 8259 lets a reader ignore it
  } catch {
    return undefined
  }
}
