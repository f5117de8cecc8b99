import { z } from 'zod'
import { Code, Country, Day, line } from '../../platform/http/contract.ts'
import { faultOfIin } from './iin.ts'

const year = z.int().min(1880).max(2100)

const parts = { family: line(120).optional(), given: line(120).optional(), patronymic: line(120).optional() }
const named = ({ family, given, patronymic }: { family?: unknown; given?: unknown; patronymic?: unknown }) =>
  Boolean(family ?? given ?? patronymic)

export const PersonName = z
  .strictObject({ kind: z.enum(['official', 'birth', 'alias', 'as_in_document']).default('official'), ...parts })
  .refine(named, 'Expected at least one of family, given, patronymic')
  .meta({ id: 'PersonName' })
export type PersonName = z.infer<typeof PersonName>

/** The known part of the birth date. 1 January is often a placeholder; it is stored as recorded. */
export const Birth = z
  .discriminatedUnion('precision', [
    z.strictObject({ precision: z.literal('day'), date: Day }).meta({ id: 'BirthOnDay' }),
    z
      .strictObject({
        precision: z.literal('month'),
        month: z
          .string()
          .regex(/^(1[89]|20)\d{2}-(0[1-9]|1[0-2])$/, 'Expected a month from 1800-01 on, for example 1961-05'),
      })
      .meta({ id: 'BirthInMonth' }),
    z.strictObject({ precision: z.literal('year'), year }).meta({ id: 'BirthInYear' }),
    z
      .strictObject({ precision: z.literal('range'), from: Day, to: Day })
      .refine(({ from, to }) => from <= to, { path: ['to'], message: 'Expected a day on or after the beginning' })
      .meta({ id: 'BirthInRange' }),
    z.strictObject({ precision: z.literal('unknown') }).meta({ id: 'BirthUnknown' }),
  ])
  .meta({ id: 'Birth', description: 'The known part of the birth date.' })
export type Birth = z.infer<typeof Birth>

export const Iin = z.string().superRefine((text, { addIssue }) => {
  const message = faultOfIin(text)
  if (message) addIssue({ code: 'custom', message })
})

export const HeldDocument = z
  .strictObject({
    type: Code.describe('A code of the list `held_document_type`.'),
    description: line(60).optional().describe('What the document is, if no code says it.'),
    number: line(60).optional(),
    country: Country.optional(),
    issuedOn: Day.optional(),
    expiresOn: Day.optional(),
  })
  .meta({ id: 'HeldDocument', description: 'A document that the person has, or had.' })

const Parent = z
  .strictObject({ relation: z.enum(['mother', 'father']), ...parts, birth: Birth.optional() })
  .refine(named, 'Expected at least one of family, given, patronymic')
  .meta({ id: 'Parent' })

/** What is known of the person's identity. */
export const Identity = z
  .strictObject({
    names: z.union([z.array(PersonName).min(1).max(10), z.literal('unknown')]),
    sex: z.enum(['male', 'female', 'other', 'unknown']),
    birth: Birth,
    birthPlace: z.strictObject({ country: Country.optional(), text: line(200).optional() }).optional(),
    parents: z.array(Parent).max(4).optional(),
    iin: Iin.optional(),
    documents: z.array(HeldDocument).max(20).optional(),
  })
  .meta({
    id: 'Identity',
    examples: [
      {
        names: [{ kind: 'official', family: 'Әбдіғали', given: 'Қайрат', patronymic: 'Серікұлы' }],
        sex: 'male',
        birth: { precision: 'year', year: 1961 },
        birthPlace: { country: 'UZB', text: 'Нукус' },
        parents: [{ relation: 'father', given: 'Серік' }],
        documents: [{ type: 'ussr_passport', number: 'VII-АЛ 123456' }],
      },
    ],
  })
export type Identity = z.infer<typeof Identity>
