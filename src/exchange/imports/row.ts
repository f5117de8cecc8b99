import { z } from 'zod'
import { type Birth, Identity } from '../../casefile/zones/contract.ts'
import { Country, Day, isKeepable, notKeepable } from '../../platform/http/contract.ts'

/** The columns of the file, in order. Those of `required` must be present. */
export const columns = [
  'externalId',
  'registeredOn',
  'regionCode',
  'division',
  'category',
  'causes',
  'familyName',
  'givenName',
  'patronymic',
  'sex',
  'birthDate',
  'birthCountry',
  'formerDocumentType',
  'formerDocumentNumber',
  'outcome',
  'decidedOn',
  'documentType',
  'documentNumber',
  'documentIssuedOn',
  'documentExpiresOn',
] as const
export const required = columns.filter((name, place) => name !== 'division' && place <= columns.indexOf('birthCountry'))

const code = z.string().regex(/^[a-z0-9_]{1,60}$/, 'Expected a code, for example ussr_passport_1974')
/** An empty cell counts as missing. */
const optional = <T extends z.ZodType>(rule: T) =>
  z.preprocess(cell => (cell === '' ? undefined : cell), rule.optional())
const kept = z.string().refine(isKeepable, notKeepable)
const text = kept.trim().max(120, 'Expected at most 120 characters')

const Row = z
  .object({
    externalId: kept.trim().min(1, 'Missing').max(100, 'Expected at most 100 characters'),
    registeredOn: Day,
    regionCode: kept.min(1, 'Missing').max(10, 'Expected the code of a region, for example KZ-75'),
    division: optional(kept.max(60, 'Expected the short name of a division')),
    category: code,
    causes: z
      .string()
      .transform(list =>
        list
          .split(';')
          .map(cause => cause.trim())
          .filter(Boolean),
      )
      .pipe(z.array(code)),
    familyName: text,
    givenName: text,
    patronymic: text,
    sex: optional(z.enum(['male', 'female', 'other', 'unknown'])),
    birthDate: optional(z.string().regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, 'Expected YYYY, YYYY-MM or YYYY-MM-DD')),
    birthCountry: optional(Country),
    formerDocumentType: optional(code),
    formerDocumentNumber: optional(kept.max(60, 'Expected at most 60 characters')),
    outcome: optional(code),
    decidedOn: optional(Day),
    documentType: optional(code),
    documentNumber: optional(kept.max(60, 'Expected at most 60 characters')),
    documentIssuedOn: optional(Day),
    documentExpiresOn: optional(Day),
  })
  .superRefine((row, context) => {
    const fault = (field: keyof typeof row, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if (row.outcome && !row.decidedOn) fault('decidedOn', 'Missing: an outcome needs it')
    if (row.decidedOn && !row.outcome) fault('outcome', 'Missing: a decision needs it')
    if (row.documentType && !row.outcome) fault('outcome', 'Missing: a document needs it')
    if (row.documentType && !row.documentNumber) fault('documentNumber', 'Missing: a document needs it')
    if (row.documentType && !row.documentIssuedOn) fault('documentIssuedOn', 'Missing: a document needs it')
    if ((row.documentNumber || row.documentIssuedOn) && !row.documentType)
      fault('documentType', 'Missing: a document needs it')
    if (row.decidedOn && row.decidedOn < row.registeredOn) fault('decidedOn', 'Expected a day on or after registeredOn')
    if (row.documentIssuedOn && row.decidedOn && row.documentIssuedOn < row.decidedOn)
      fault('documentIssuedOn', 'Expected a day on or after decidedOn')
    if (row.documentExpiresOn && row.documentIssuedOn && row.documentExpiresOn < row.documentIssuedOn)
      fault('documentExpiresOn', 'Expected a day on or after documentIssuedOn')
    if (row.formerDocumentNumber && !row.formerDocumentType)
      fault('formerDocumentType', 'Missing: a document number needs it')
  })
type Row = z.output<typeof Row>

export type Fault = { line: number; field: string; reason: string }
export type Read = { line: number; row: Row; identity: Identity }

/** Returns a line of the file as a registration, or its faults. */
export function readRow(line: number, record: Record<string, string>): { read: Read } | { faults: Fault[] } {
  const row = Row.safeParse(record)
  if (!row.success) return { faults: faultsOf(line, row.error, String) }
  const identity = Identity.safeParse(identityOf(row.data))
  if (!identity.success) return { faults: faultsOf(line, identity.error, () => 'birthDate') }
  return { read: { line, row: row.data, identity: identity.data } }
}

const faultsOf = (line: number, { issues }: z.ZodError, field: (name: PropertyKey | undefined) => string): Fault[] =>
  issues.map(({ path: [name], message }) => ({ line, field: field(name), reason: message }))

function identityOf(row: Row): z.input<typeof Identity> {
  const name = filled({ family: row.familyName, given: row.givenName, patronymic: row.patronymic })
  return {
    names: Object.keys(name).length ? [{ kind: 'official', ...name }] : 'unknown',
    sex: row.sex ?? 'unknown',
    birth: birthOf(row.birthDate),
    ...(row.birthCountry && { birthPlace: { country: row.birthCountry } }),
    ...(row.formerDocumentType && {
      documents: [filled({ type: row.formerDocumentType, number: row.formerDocumentNumber }) as { type: string }],
    }),
  }
}

/** Returns a birth date with the precision of the text. */
function birthOf(date: string | undefined): Birth {
  if (!date) return { precision: 'unknown' }
  if (date.length === 4) return { precision: 'year', year: Number(date) }
  return date.length === 7 ? { precision: 'month', month: date } : { precision: 'day', date }
}

const filled = (parts: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(parts).filter((part): part is [string, string] => Boolean(part[1])))
