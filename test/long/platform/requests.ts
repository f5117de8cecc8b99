import { type Operation, operations, schemaOf } from './document.ts'
import type { Draw } from './draw.ts'
import { canary, hostileText, oddText, spoilt, texts } from './hostile.ts'
import type { Person, Pools } from './pools.ts'
import { adapted, type Source, valid } from './values.ts'

/** A request. `operation`: the one that the document has for it, if it has one. */
export type Sent = {
  operation: Operation | undefined
  person: Person | undefined
  method: string
  url: string
  headers: Record<string, string>
  body: string | Buffer | undefined
}

const encoded = (draw: Draw, text: string) =>
  draw.chance(0.05)
    ? `${text.replace(/[^\w-]/g, '')}${draw.pick(['%', '%zz', '%ff', '%00', '%C0%AF', '%u0041'])}`
    : quoted(text)
const quoted = (text: string) => encodeURIComponent(text.toWellFormed())

/** Picks an operation and who calls it: mostly somebody with the permission. */
export function chosen(draw: Draw, { people }: Pools, reached: ReadonlySet<string>) {
  const missing = operations.filter(({ id }) => !reached.has(id))
  const wanted = missing.length > 0 && draw.chance(0.5)
  const operation = draw.pick(wanted ? missing : operations)
  const allowed = people.filter(({ permissions }) => permissions.includes(operation.permission ?? ''))
  const person = draw.chance(0.04)
    ? undefined
    : draw.pick(allowed.length && draw.chance(wanted ? 0.95 : 0.8) ? allowed : people)
  return { operation, person, careful: draw.chance(wanted ? 0.85 : 0.4) }
}

/** Builds a request for an operation; `careful`: without a fault that is made on purpose. */
export function build(
  draw: Draw,
  pools: Pools,
  operation: Operation,
  person: Person | undefined,
  careful: boolean,
): Sent {
  const changes = operation.method !== 'GET'
  const source: Source = { draw, idFor: name => pools.idFor(draw, name, person), seen: pools.seen }
  const url = `${pathOf(draw, pools, operation, person, careful, changes)}${queryOf(source, operation, careful)}`
  const headers: Record<string, string> = { ...authorization(draw, person, careful) }
  for (const { name, required } of operation.parameters.filter(one => one.in === 'header')) {
    if (!careful && draw.chance(0.3)) headers[name.toLowerCase()] = oddHeader(draw)
    else if (name === 'If-Match') headers['if-match'] = '"1"'
    else if (name === 'Idempotency-Key' && (required || draw.chance(0.5)))
      headers['idempotency-key'] = draw.chance(0.06) ? 'used-again' : draw.uuid()
    else if (name === 'If-None-Match' && draw.chance(0.3))
      headers['if-none-match'] = pools.tags.get(url) ?? draw.pick(['*', '"1"', 'W/"1"', '', '"'])
    if (!careful && draw.chance(0.08)) delete headers[name.toLowerCase()]
  }
  if (!careful && draw.chance(0.3)) Object.assign(headers, oddHeaders(draw))
  let body: string | Buffer | undefined
  if (operation.body) {
    body = bodyOf(source, operation.body, careful)
    const odd = !careful && draw.chance(0.06)
    if (!odd) headers['content-type'] ??= operation.body.type
    else headers['content-type'] = draw.pick(oddTypes)
  } else if (!careful && changes && draw.chance(0.2)) {
    body = draw.pick(['{}', '[]', `{"a":"${canary}"}`, 'null', canary])
    headers['content-type'] = draw.pick(['application/json', ...oddTypes])
  }
  const method =
    !careful && draw.chance(0.08)
      ? draw.pick(['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'QUERY', 'POST', 'GET'])
      : operation.method
  return { operation: owner(method, url, operation), person, method, url, headers, body }
}

/** The operation of the document that a method and a URL belong to: HEAD asks the one of GET. */
function owner(method: string, url: string, operation: Operation): Operation | undefined {
  const path = url.split(/[?#]/)[0] ?? ''
  const wanted = method === 'HEAD' ? 'GET' : method
  if (!matches(operation.path, path) || /%(?![\da-f]{2})/i.test(path)) return undefined
  const fixed = operations.some(one => one.path === path)
  return operations.find(one => one.method === wanted && (fixed ? one.path === path : one.path === operation.path))
}
const matches = (pattern: string, path: string) => new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/?#]+')}$`).test(path)

function pathOf(
  draw: Draw,
  pools: Pools,
  operation: Operation,
  person: Person | undefined,
  careful: boolean,
  changes: boolean,
) {
  const segments = operation.path.split('/')
  const relation = operation.path.includes('{relationId}') ? pools.id(draw, 'relations', person) : ''
  const filled = segments.map((segment, index) => {
    if (!segment.startsWith('{')) return segment
    if (!careful && draw.chance(0.06)) return encoded(draw, hostileText(draw)).slice(0, 2_000) || 'x'
    if (segment === '{relationId}') return relation
    if (segment === '{list}') return quoted(draw.pick([...pools.seen('list'), 'outcome']))
    const parent = pools.parentOf(relation)
    return parent && draw.chance(0.9) ? parent : pools.id(draw, segments[index - 1] ?? '', person, changes)
  })
  return filled.join('/')
}

function queryOf(source: Source, { parameters }: Operation, careful: boolean): string {
  const { draw } = source
  const given: string[] = []
  for (const { name, required, schema, in: place } of parameters) {
    if (place !== 'query' || !(required || draw.chance(name === 'cursor' ? 0.05 : 0.2))) continue
    if (!careful && required && draw.chance(0.1)) continue
    const values = [valid(source, schema, name)].flat()
    if (!careful && draw.chance(0.15)) values.push(hostileText(draw))
    if (!careful && draw.chance(0.1)) values.splice(0, 1, hostileText(draw))
    for (const value of values) given.push(`${name}=${encoded(draw, String(value))}`)
  }
  if (!careful && draw.chance(0.05))
    given.push(
      draw.pick([
        `extra=${canary}`,
        `${canary}=1`,
        'limit',
        '=',
        '&&',
        '__proto__=1',
        'limit[]=1',
        'a%00b=%00',
        '%',
        `q=${canary}#x`,
      ]),
    )
  const text = given.join('&').slice(0, 4_000)
  return text && `?${text}`
}

function bodyOf(source: Source, { type, schema }: NonNullable<Operation['body']>, careful: boolean): string | Buffer {
  const { draw } = source
  const [example] = schemaOf(schema).examples ?? []
  const value = example && draw.chance(0.5) ? adapted(source, schema, example) : valid(source, schema)
  if (type === 'text/csv') return csvOf(draw, String(example), careful)
  if (careful) return JSON.stringify(value)
  if (draw.chance(0.12)) return oddText(draw, JSON.stringify(value))
  let wrong = value
  for (let faults = 1 + draw.below(2); faults; faults--) wrong = spoilt(draw, wrong)
  return JSON.stringify(wrong) ?? ''
}

function csvOf(draw: Draw, example: string, careful: boolean): string {
  const text = example.replaceAll('A-', `${draw.matching('^[a-z]{6}$')}-`)
  if (careful) return text
  const place = draw.below(text.length)
  return draw.pick([
    `${text.slice(0, place)}${draw.pick(texts)}${text.slice(place)}`,
    `${text.slice(0, place)}"${text.slice(place)}`,
    text.replaceAll(',', draw.pick([';', '\t', ',,'])),
    text.replace('2021', draw.pick(['0000', '9999', '=1+1', '-1'])),
    text.slice(0, place),
    `\ufeff${text}`,
    draw.pick(texts),
  ])
}

const oddTypes = [
  '',
  'text/plain',
  'application/xml',
  'application/json; charset=utf-16',
  'application/json;charset="utf-8"',
  'APPLICATION/JSON',
  'application/problem+json',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  ';',
  'json',
  `${canary}/x`,
  'text/csv',
]

const oddHeader = (draw: Draw): string =>
  draw.pick([
    '',
    '*',
    '"0"',
    '"1"',
    'W/"1"',
    '1',
    '"1',
    '"99999999999"',
    '"-1"',
    '"1-0123456789abcdef"',
    '"1", "2"',
    canary,
    `"${canary}"`,
    'x'.repeat(201),
    'x'.repeat(9_000),
    'with space',
    'null',
  ])

const oddHeaders = (draw: Draw): Record<string, string> =>
  draw.pick<Record<string, string>>([
    {
      accept: draw.pick([
        'text/csv',
        'text/html',
        'application/xml',
        '*/*;q=0',
        ';;',
        canary,
        'image/png, text/csv;q=1.0',
      ]),
    },
    { 'content-encoding': draw.pick(['gzip', 'br', 'identity', canary]) },
    { 'x-http-method-override': draw.pick(['DELETE', 'GET', canary]) },
    { 'x-forwarded-for': draw.pick(['1.2.3.4', '::1', canary]), 'x-forwarded-proto': canary },
    { 'x-request-id': canary, traceparent: canary },
    { 'accept-language': draw.pick(['kk', '*', 'xx-yy-zz']), 'accept-encoding': 'gzip, br' },
    { range: 'bytes=0-10', 'if-range': canary },
    { 'if-modified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { origin: `https://${canary}.example`, 'access-control-request-method': 'DELETE' },
    { cookie: `session=${canary}; __proto__=1` },
    { 'user-agent': texts[2] ?? '', referer: `http://x/${canary}` },
    { ['x'.repeat(500)]: 'y'.repeat(5_000) },
    {
      authorization: draw.pick([
        '',
        'Bearer',
        'Bearer ',
        `Bearer ${canary}`,
        `Basic ${canary}`,
        'Bearer a.b.c',
        `Bearer ${'x'.repeat(5_000)}`,
      ]),
    },
  ])

/** The token of the person. Sometimes another one that was changed a little. */
const authorization = (draw: Draw, person: Person | undefined, careful: boolean): Record<string, string> => {
  if (!person) return {}
  const token = !careful && draw.chance(0.02) ? `${person.token.slice(0, -2)}AA` : person.token
  return { authorization: `${!careful && draw.chance(0.05) ? 'bearer' : 'Bearer'} ${token}` }
}
