import { Readable } from 'node:stream'
import fastJson from 'fast-json-stringify'
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifySchemaCompiler,
  FastifySerializerCompiler,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify'
import { z } from 'zod'
import './expected.ts'
import { type Fault, faults, invalid, pointer } from '../../problem.ts'

/** Derives the types of a route's request and reply from its zod schemas. */
export interface ZodTypes extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
}

export type Routes = FastifyPluginAsync<Record<never, never>, RawServerDefault, ZodTypes>

const places: Record<string, readonly string[]> = {
  body: [],
  querystring: ['query'],
  params: ['path'],
  headers: ['headers'],
}

/** PostgreSQL stores neither U+0000 nor half a surrogate pair. */
export const isKeepable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()
export const notKeepable = 'Expected text that can be stored: without U+0000 and without half a surrogate pair'

/** Marks text of a query that is not UTF-8: half a surrogate pair, which no UTF-8 text can contain. */
export const notUtf8 = '\udc80'

function* unkeepable(value: unknown, path: readonly string[]): Generator<Fault> {
  if (typeof value === 'string' && !isKeepable(value))
    yield {
      pointer: pointer(path),
      detail: value === notUtf8 ? 'Expected text in UTF-8, percent-encoded' : notKeepable,
    }
  else if (typeof value === 'object' && value !== null && !(value instanceof Readable))
    for (const [key, inner] of Object.entries(value)) yield* unkeepable(inner, [...path, key])
}

/** Checks a part of the request; each fault has a pointer, which starts with `#/query/` or `#/path/` outside the body. */
const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart = 'body' }) =>
  data => {
    const place = places[httpPart] ?? []
    const result = schema.safeParse(data)
    if (!result.success) return { error: invalid(faults(result.error, place)) }
    const unkept = [...unkeepable(data, place)]
    return unkept.length ? { error: invalid(unkept) } : { value: result.data }
  }

const noQuery = z.strictObject({})

/** Checks requests and serializes replies by their contracts. A route that declares no query takes none. */
export function contracts(app: FastifyInstance) {
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.addHook('onRoute', route => {
    if (!route.config?.hidden) route.schema = { querystring: noQuery, ...route.schema }
  })
}

const serializers = new WeakMap<z.ZodType, ReturnType<typeof fastJson>>()

/** Serializes only the fields of the contract: a surplus field of a reply is left out. Compiled at its first use. */
export function serialize(schema: z.ZodType, data: unknown): string {
  const serializer = serializers.get(schema) ?? fastJson(jsonSchema(schema, { target: 'draft-7' }) as never)
  serializers.set(schema, serializer)
  return serializer(data)
}
const serializerCompiler: FastifySerializerCompiler<z.ZodType> =
  ({ schema }) =>
  data =>
    serialize(schema, data)

/**
 * Converts a zod schema to JSON Schema, without the long pattern that duplicates each format. Replies may get more fields
 * later, so their objects do not forbid them.
 */
export const jsonSchema = (schema: z.ZodType, { target = 'draft-2020-12', io = 'output' }: JsonSchemaOptions = {}) =>
  z.toJSONSchema(schema, {
    target,
    io,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const isStrict = zodSchema instanceof z.ZodObject && zodSchema.def.catchall !== undefined
      if (io === 'output' && !isStrict && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties
      if (zodSchema instanceof z.ZodDiscriminatedUnion && target === 'draft-2020-12')
        jsonSchema.discriminator = { propertyName: zodSchema.def.discriminator }
      if (target === 'draft-7') delete jsonSchema.extends // see api-components.ts
      if (jsonSchema.format) delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
type JsonSchemaOptions = { target?: 'draft-7' | 'draft-2020-12'; io?: 'input' | 'output' }

/** An id, in lower case as the database has it: many systems write capitals, and RFC 9562 allows both. */
export const Id = z.uuid().toLowerCase()
export const IdParams = z.strictObject({ id: Id })
/** Every person on file was born after 1800, and PostgreSQL's dates have no year 0. */
const isOnRecord = (dayOrInstant: string): boolean => dayOrInstant >= '1800-01-01'
export const Day = z.iso.date().refine(isOnRecord, 'Expected 1800-01-01 or later')
export const Instant = z.iso.datetime().refine(isOnRecord, 'Expected 1800-01-01 or later')
/** Returns an instant in UTC, with the digits of its fraction as they are. Leaves alone what is not an instant. */
function inUtc(text: string): string {
  const [fraction = ''] = /\.\d+/.exec(text) ?? []
  const at = Date.parse(text.replace(fraction, ''))
  return Number.isNaN(at) ? text : new Date(at).toISOString().replace('.000Z', `${fraction}Z`)
}

/** An instant as a caller sends it, with any offset; in UTC once it is parsed. In a query, a `+` that is not encoded is a space. */
export const SentInstant = z.preprocess(
  given => (typeof given === 'string' ? given.replace(/ (?=\d\d:\d\d$)/, '+') : given),
  z.iso.datetime({ offset: true }).overwrite(inUtc).refine(isOnRecord, 'Expected 1800-01-01 or later'),
)
export const Version = z.int().min(1)
/** A code of a list of the reference data. */
export const Code = z
  .string()
  .regex(/^[a-z0-9_]{1,60}$/, 'Expected a code of lower-case letters, digits and _, for example ussr_passport_1974')
export const RegionCode = z.string().max(10)
/** A code of the list `country`; where a person was born or a document was issued, also of `former_country`. */
export const Country = z
  .string()
  .regex(/^[A-Z]{3}$/, 'Expected a country of ISO 3166-1 in three letters, for example UZB')
/** A code of the list `language`. */
export const Language = z
  .string()
  .regex(/^[a-z]{2,3}$/, 'Expected a language of ISO 639 in two or three letters, for example kk or kaa')
/** Something that a reader can see: not only spaces and characters without a shape, such as U+200B, U+3164 or U+2800. */
const visible = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}\u2800]/u
/** Controls, and what makes a text look like another one: bidi embeddings, overrides and isolates. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u
const controlsOfText = /(?![\t\n\r])[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u
const typed = (longest: number, refused: RegExp) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .refine(isKeepable, notKeepable)
    .refine(text => !refused.test(text), notPlain)
    .refine(text => !text || visible.test(text), notVisible)
export const notPlain = 'Expected text without control characters, bidi overrides and bidi isolates'
export const notVisible = 'Expected at least one character that can be seen'
/** What is typed in one line, trimmed: a name, a number, a title. About a person it must be stored sealed. */
export const line = (longest: number) => typed(longest, controls)
/** Free text, trimmed, of one line or several. About a person it must be stored sealed. */
export const text = (longest: number) => typed(longest, controlsOfText)

/** The reply without a body. */
export const Nothing = z.null().meta({ description: 'Done' })

/** The readable text for a code. */
export const Label = z.object({ en: z.string(), ru: z.string(), kk: z.string() }).meta({ id: 'Label' })

/** A boolean in a query. */
export const TrueOrFalse = z.preprocess(
  given => (given === 'true' ? true : given === 'false' ? false : given),
  z.boolean('Expected true or false'),
)

/** A query parameter that may be repeated; a filter for any of its values. */
export const anyOf = <T extends z.ZodType<unknown, string>>(value: T) =>
  z.preprocess(
    given => (given === undefined || Array.isArray(given) ? given : [given]),
    z.array(value).max(50).optional(),
  )
