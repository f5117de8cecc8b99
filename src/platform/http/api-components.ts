import type { z } from 'zod'
import { jsonSchema } from './contract.ts'

export type Json = Record<string, unknown>
export type Operation = Json & { parameters: Json[] }

/** The components that operations share, by kind and name; each is written once and referenced. */
export class Components {
  readonly schemas: Json = {}
  readonly responses: Json = {}
  readonly headers: Json = {}

  schema(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $defs = {}, $schema: _, ...json } = jsonSchema(schema, { io }) as Json & { $defs?: Json }
    for (const [name, shared] of Object.entries(asComponents($defs))) this.#add(name, shared, io)
    const { id, ...own } = asComponents(json)
    if (typeof id !== 'string') return own
    this.#add(id, own, io)
    return ref('schemas', id)
  }

  /** What is written and read has the schema of writing: a field with a default may be left out there. */
  #add(name: string, schema: unknown, io: 'input' | 'output') {
    if (io === 'output' && this.#written.has(name)) return
    if (io === 'input') this.#written.add(name)
    this.schemas[name] = schema
  }
  readonly #written = new Set<string>()

  response(name: string, response: Json): Json {
    this.responses[name] = response
    return ref('responses', name)
  }

  header(name: keyof typeof headers): Json {
    this.headers[name] = { description: headers[name], schema: { type: 'string' } }
    return ref('headers', name)
  }
}

export const ref = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` })

/** Headers of replies. `x-request-id`, `cache-control` and `ratelimit-*` come with every one: see the document's text. */
const headers = {
  ETag: 'The version of the resource (of a step: of its case), a hyphen and a hash of its body; for `If-Match` and `If-None-Match`.',
  Link: 'The next page, with `rel="next"`; none on the last one.',
  Location: 'Where the resource can be read.',
  'Retry-After': 'Seconds after which another try is worth it.',
} as const

export const sorted = (json: Json): Json =>
  Object.fromEntries(Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1)))

export const pascal = (name: string) => name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())

const asComponents = (json: Json): Json =>
  JSON.parse(JSON.stringify(json).replaceAll('#/$defs/', '#/components/schemas/'))

type Variant = { $ref: string }
type Union = { oneOf?: readonly Variant[]; discriminator?: { propertyName: string; mapping?: Json } }

/** Adds to each discriminator which of its values means which schema. */
export const withMappings = (schemas: Json): Json =>
  JSON.parse(JSON.stringify(schemas), (_, value: Union | null) => {
    if (!value?.oneOf || !value.discriminator) return value
    const { propertyName } = value.discriminator
    const mapping = value.oneOf.map(({ $ref }) => {
      const { properties } = schemas[$ref.replace('#/components/schemas/', '')] as { properties: Json }
      return [(properties[propertyName] as { const: string }).const, $ref]
    })
    return { ...value, discriminator: { propertyName, mapping: Object.fromEntries(mapping) } }
  })

type ObjectSchema = { extends?: string; properties: Json; required?: readonly string[] }

/**
 * Writes each schema that extends another one (`extends` in its meta) as that one and what it adds. Throws if it changes a
 * field of the other one: then it is none of its kind.
 */
export const withParents = (schemas: Json): Json =>
  Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { extends: parent, properties, required = [], ...rest } = schema as ObjectSchema
      if (parent === undefined) return [name, schema]
      const { properties: inherited, required: demanded = [] } = schemas[parent] as ObjectSchema
      for (const [field, of] of Object.entries(inherited))
        if (JSON.stringify(properties[field]) !== JSON.stringify(of))
          throw new Error(`${name} is not a ${parent}: ${field} differs`)
      const own = {
        properties: Object.fromEntries(Object.entries(properties).filter(([field]) => !(field in inherited))),
        required: required.filter(field => !demanded.includes(field)),
      }
      return [name, { ...rest, allOf: [ref('schemas', parent), own] }]
    }),
  )

/** Returns the parameters that a contract of the path or the query describes. */
export function parameters(place: 'path' | 'query', schema: z.ZodType | undefined) {
  if (!schema) return []
  const { properties = {}, required = [], $defs = {} } = jsonSchema(schema, { io: 'input' })
  return Object.entries(inlined(properties, $defs as Json)).map(([name, property]) => {
    const { description, ...rest } = property as Json
    return { name, in: place, required: required.includes(name), ...(description ? { description } : {}), schema: rest }
  })
}

/** Writes out what a parameter refers to: the tools that read parameters expect to find the codes there. */
const inlined = (properties: object, defs: Json): Json =>
  JSON.parse(JSON.stringify(properties), (_, value) => {
    const { id: _id, ...own } = (defs[String(value?.$ref).replace('#/$defs/', '')] ?? value) as Json
    return value?.$ref ? own : value
  })

/** Replaces parameters that several operations share by references. Returns the shared ones, by name. */
export function shareParameters(operations: readonly Operation[]): Json {
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
