import { z } from 'zod'
import { Day } from '../http/contract.ts'

export const Zone = z.enum(['identity', 'contact', 'whereabouts', 'protection'])
export type Zone = z.infer<typeof Zone>

/** The body of an Idempotency-safe text: trimmed, without control characters. */
const text = (longest: number) => z.string().trim().min(1).max(longest)
const country = z.string().regex(/^[A-Z]{3}$/, 'A country of ISO 3166-1, three letters')
const year = z.int().min(1880).max(2100)

export const PersonName = z
  .strictObject({
    kind: z.enum(['official', 'birth', 'alias', 'as_in_document']),
    family: text(120).optional(),
    given: text(120).optional(),
    patronymic: text(120).optional(),
  })
  .refine(({ family, given, patronymic }) => family ?? given ?? patronymic, 'At least one part of the name')

/** As much of the birth date as is known. 1 January is often a placeholder, and kept as it was recorded. */
export const Birth = z.discriminatedUnion('precision', [
  z.strictObject({ precision: z.literal('day'), date: Day }),
  z.strictObject({
    precision: z.literal('month'),
    month: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'A month, YYYY-MM'),
  }),
  z.strictObject({ precision: z.literal('year'), year }),
  z.strictObject({ precision: z.literal('range'), from: Day, to: Day }),
  z.strictObject({ precision: z.literal('unknown') }),
])
export type Birth = z.infer<typeof Birth>

export const HeldDocument = z.strictObject({ type: text(60), number: text(60).optional() })

/** The zone `identity`: who the person is, as far as anybody knows. */
export const Identity = z
  .strictObject({
    names: z.union([z.array(PersonName).min(1).max(10), z.literal('unknown')]),
    sex: z.enum(['male', 'female', 'other', 'unknown']),
    birth: Birth,
    birthPlace: z.strictObject({ country: country.optional(), text: text(200).optional() }).optional(),
    documents: z.array(HeldDocument).max(20).optional(),
  })
  .meta({ id: 'Identity' })
export type Identity = z.infer<typeof Identity>

/** The year for the figures; of a range the first one; none when unknown. */
export function birthYear(birth: Birth): number | null {
  switch (birth.precision) {
    case 'day':
      return Number(birth.date.slice(0, 4))
    case 'month':
      return Number(birth.month.slice(0, 4))
    case 'year':
      return birth.year
    case 'range':
      return Number(birth.from.slice(0, 4))
    case 'unknown':
      return null
  }
}
