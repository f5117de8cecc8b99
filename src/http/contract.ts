import fastJson from 'fast-json-stringify'
import type {
  FastifyPluginAsync,
  FastifySchemaCompiler,
  FastifySerializerCompiler,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify'
import { z } from 'zod'
import { faults, invalid } from '../problem.ts'

/** Lets a route's zod schemas type its request and its reply. */
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

/** Checks a part of the request; each fault is answered with its pointer (`#/query/…` and `#/path/…` beside the body). */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart = 'body' }) =>
  data => {
    const result = schema.safeParse(data)
    return result.success ? { value: result.data } : { error: invalid(faults(result.error, places[httpPart])) }
  }

/** Writes what the contract names and nothing else: a field too many in a reply goes nowhere. */
export const serializerCompiler: FastifySerializerCompiler<z.ZodType> = ({ schema }) =>
  fastJson(jsonSchema(schema, { target: 'draft-7' }) as never)

/** A zod schema as JSON Schema, each format without the pattern that says the same at length. */
export const jsonSchema = (schema: z.ZodType, { target = 'draft-2020-12', io = 'output' }: JsonSchemaOptions = {}) =>
  z.toJSONSchema(schema, {
    target,
    io,
    unrepresentable: 'any',
    override({ jsonSchema }) {
      if (jsonSchema.format) delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
type JsonSchemaOptions = { target?: 'draft-7' | 'draft-2020-12'; io?: 'input' | 'output' }

export const Id = z.uuid()
export const IdParams = z.strictObject({ id: Id })
export const Day = z.iso.date()
export const Instant = z.iso.datetime()
export const Version = z.int().min(1)
/** A code of a list of the reference data. */
export const Code = z.string().regex(/^[a-z0-9_]{1,60}$/, 'A code')
export const RegionCode = z.string().max(10)
export const Country = z.string().regex(/^[A-Z]{3}$/, 'A country of ISO 3166-1, three letters')
/** What somebody types, trimmed. Whoever contracts for one about a person keeps it where nobody else reads it. */
export const text = (longest: number) => z.string().trim().min(1).max(longest)

/** The reply that says nothing more. */
export const Nothing = z.null().meta({ description: 'Done' })

/** What people read instead of a code. */
export const Label = z.object({ en: z.string(), ru: z.string(), kk: z.string() }).meta({ id: 'Label' })

/** A query parameter that may be repeated: any of its values. */
export const anyOf = <T extends z.ZodType<unknown, string>>(value: T) =>
  z.preprocess(
    given => (given === undefined || Array.isArray(given) ? given : [given]),
    z.array(value).max(50).optional(),
  )
