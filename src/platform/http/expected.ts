// Messages for the caller about a wrong value: what was expected, with an example where the format is not obvious.
import { z } from 'zod'

/** Formats of text, each with an example. */
const formats: Record<string, string> = {
  date: 'a day, for example 2021-03-04',
  datetime: 'an instant with its offset, for example 2021-03-04T09:30:00Z or 2021-03-04T14:30:00+05:00',
  uuid: 'an id (UUID), for example 0193f0a4-0000-7000-8000-000000000001',
  email: 'an e-mail address, for example aigerim@sunrise.example',
}

const types: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
}

/** The units of a length or size. */
const units: Record<string, [one: string, several: string]> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
}

function bounded(word: 'at least' | 'at most', bound: number | bigint, origin: string): string {
  const unit = units[origin]
  return unit ? `${word} ${bound} ${unit[bound === 1 ? 0 : 1]}` : `a number of ${word} ${bound}`
}

const listed = (values: readonly unknown[]) =>
  values.length === 1 ? `"${values[0]}"` : `one of: ${values.map(String).join(', ')}`

/** Returns the values of the discriminator of a union. */
function formsOf(schema: z.ZodType, discriminator: string): unknown[] {
  const { options = [] } = (schema as z.ZodDiscriminatedUnion).def
  return options.flatMap(option => {
    const field = (option as z.ZodObject).shape[discriminator] as z.ZodLiteral | z.ZodEnum
    return 'values' in field ? [...field.values] : field.options
  })
}

/** Returns the message for a zod issue; undefined where the contract has a message of its own. */
export function expected(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `Missing: expected ${types[issue.expected] ?? issue.expected}`
        : `Expected ${types[issue.expected] ?? issue.expected}`
    case 'invalid_format':
      return formats[issue.format] && `Expected ${formats[issue.format]}`
    case 'invalid_value':
      return `${issue.input === undefined ? 'Missing: expected' : 'Expected'} ${listed(issue.values)}`
    case 'too_small':
      return `Expected ${bounded('at least', issue.minimum, issue.origin)}`
    case 'too_big':
      return `Expected ${bounded('at most', issue.maximum, issue.origin)}`
    case 'invalid_union':
      if (issue.discriminator && issue.inst)
        return `Expected ${listed(formsOf(issue.inst as z.ZodType, issue.discriminator))}`
      return [...new Set(issue.errors.flatMap(issues => issues.map(({ message }) => message)))]
        .join(', or: ')
        .replaceAll(', or: Expected', ', or')
    case 'unrecognized_keys':
      return 'Not a field of this request'
    default:
      return undefined
  }
}

z.config({ customError: expected })
