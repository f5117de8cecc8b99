import { type Schema, schemaOf } from './document.ts'
import type { Draw } from './draw.ts'

/** Where values come from that a schema alone does not tell. */
export type Source = {
  draw: Draw
  /** An id for a field or parameter of this name. */
  idFor: (name: string) => string
  /** Values that were seen in a field of this name. */
  seen: (name: string) => readonly string[]
}

const days = ['2021-03-04', '2021-03-08', '2021-06-01', '2020-01-01', '1961-05-05', '2031-11-23']
const plain = ['Құралай', 'Асқар', 'Ivanova', 'Looks right', 'Ø', 'Нукус 7', 'x'.repeat(40)]

/** Returns a value that a schema allows. */
export function valid(source: Source, given: Schema, name = ''): unknown {
  const { draw } = source
  const schema = schemaOf(given)
  const { anyOf, oneOf, items, properties = {}, required = [], additionalProperties } = schema
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return draw.pick(schema.enum)
  const forms = anyOf ?? oneOf
  if (forms) return valid(source, draw.pick(forms), name)
  const type = Array.isArray(schema.type) ? draw.pick(schema.type) : schema.type
  if (type === 'object') {
    const chosen = Object.entries(properties).filter(([key]) => required.includes(key) || draw.chance(0.25))
    const value = Object.fromEntries(chosen.map(([key, inner]) => [key, valid(source, inner, key)]))
    if (typeof additionalProperties === 'object' && draw.chance(0.5))
      value[draw.matching('^[a-z]{1,8}$')] = valid(source, additionalProperties)
    return value
  }
  if (type === 'array') {
    const { minItems = 0, maxItems = 3 } = schema
    const length = minItems + draw.below(Math.min(maxItems - minItems, 2) + 1)
    return Array.from({ length }, () => valid(source, items ?? {}, name))
  }
  if (type === 'integer' || type === 'number') {
    const { minimum = 0, maximum = minimum + 100 } = schema
    return minimum + draw.below(maximum - minimum + 1)
  }
  if (type === 'boolean') return draw.chance(0.5)
  if (type === 'null') return null
  return validText(source, schema, name)
}

function validText(source: Source, schema: Schema, name: string): string {
  const { draw } = source
  const { format, pattern, minLength = 0, maxLength = 200 } = schema
  if (format === 'uuid') return source.idFor(name)
  const fits = (text: string) =>
    text.length >= minLength &&
    text.length <= maxLength &&
    (!pattern || new RegExp(pattern, 'u').test(text)) &&
    (format !== 'date' || /^\d{4}-\d\d-\d\d$/.test(text)) &&
    (format !== 'date-time' || /^\d{4}-\d\d-\d\dT/.test(text))
  const [, list = name] = /list `(\w+)`/.exec(schema.description ?? '') ?? []
  const codes = source.seen(`list ${list}`)
  const seen = (codes.length ? codes : source.seen(name)).filter(fits)
  if (seen.length && draw.chance(0.8)) return draw.pick(seen)
  if (format === 'date') return draw.pick(days)
  if (format === 'date-time')
    return `${draw.pick(days)}T0${draw.below(10)}:30:00${draw.pick(['Z', '+05:00', '-03:30'])}`
  if (format === 'email') return `${draw.matching('^[a-z]{3,9}$')}@${draw.pick(['new', 'sunrise'])}.example`
  if (pattern) return draw.matching(pattern)
  return draw.pick(plain.map(text => text.padEnd(minLength, ' x').slice(0, maxLength)))
}

/** Returns an example of the document, with ids of this world in the place of its ids. */
export function adapted(source: Source, given: Schema, value: unknown, name = ''): unknown {
  const schema = schemaOf(given)
  if (schema.format === 'uuid') return source.idFor(name)
  if (Array.isArray(value)) return value.map(one => adapted(source, schema.items ?? {}, one, name))
  if (typeof value !== 'object' || value === null) return value
  const { properties = {} } = schema
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, adapted(source, properties[key] ?? {}, inner, key)]),
  )
}
