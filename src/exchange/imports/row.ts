import { z } from 'zod'
import { NewCase } from '../../casefile/cases/contract.ts'
import { NewDocument } from '../../casefile/events/contract.ts'
import { type Birth, Identity } from '../../casefile/zones/identity.ts'
import { documentRefusals, faultsBy, identityRefusals } from '../../casefile/zones/rules.ts'
import { Code, Day } from '../../platform/http/contract.ts'
import { faults } from '../../problem.ts'

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

/** An empty cell counts as missing. */
const cell = <T extends z.ZodType>(rule: T) =>
  z.preprocess(text => (typeof text === 'string' && !text.trim() ? undefined : text), rule.optional())
const any = cell(z.string())

/** What only a row has: its shapes, and which cells need which. */
const Row = z
  .object({
    ...(Object.fromEntries(columns.map(name => [name, any])) as Record<(typeof columns)[number], typeof any>),
    division: cell(z.string().max(60, 'Expected the short name of a division')),
    birthDate: cell(z.string().regex(/^\d{4}(-\d{2}(-\d{2})?)?$/, 'Expected YYYY, YYYY-MM or YYYY-MM-DD')),
    outcome: cell(Code),
    decidedOn: cell(Day),
  })
  .superRefine((row, context) => {
    const fault = (field: keyof typeof row, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message })
    if (row.outcome && !row.decidedOn) fault('decidedOn', 'Missing: an outcome needs it')
    if (row.decidedOn && !row.outcome) fault('outcome', 'Missing: a decision needs it')
    if (row.documentType && !row.outcome) fault('outcome', 'Missing: a document needs it')
    if ((row.documentNumber || row.documentIssuedOn || row.documentExpiresOn) && !row.documentType)
      fault('documentType', 'Missing: a document needs it')
    if (row.decidedOn && row.registeredOn && row.decidedOn < row.registeredOn)
      fault('decidedOn', 'Expected a day on or after registeredOn')
    if (row.documentIssuedOn && row.decidedOn && row.documentIssuedOn < row.decidedOn)
      fault('documentIssuedOn', 'Expected a day on or after decidedOn')
    if (row.formerDocumentNumber && !row.formerDocumentType)
      fault('formerDocumentType', 'Missing: a document number needs it')
  })
type Row = z.output<typeof Row>

/** A row in the shape in which the API takes it: the same contracts judge both. */
const Registration = z.object({
  case: NewCase.pick({ externalId: true, regionCode: true, registeredOn: true, category: true, causes: true }).required(
    {
      externalId: true,
      registeredOn: true,
    },
  ),
  identity: Identity,
  document: NewDocument.optional(),
})
export type Registration = z.output<typeof Registration>

/** The column of each field of a registration, by its pointer. */
const places: Partial<Record<(typeof columns)[number], string>> = {
  externalId: '#/case/externalId',
  registeredOn: '#/case/registeredOn',
  regionCode: '#/case/regionCode',
  category: '#/case/category',
  causes: '#/case/causes',
  familyName: '#/identity/names/0/family',
  givenName: '#/identity/names/0/given',
  patronymic: '#/identity/names/0/patronymic',
  sex: '#/identity/sex',
  birthDate: '#/identity/birth',
  birthCountry: '#/identity/birthPlace/country',
  formerDocumentType: '#/identity/documents/0/type',
  formerDocumentNumber: '#/identity/documents/0/number',
  outcome: '#/outcome',
  documentType: '#/document/documentType',
  documentNumber: '#/document/number',
  documentIssuedOn: '#/document/issuedOn',
  documentExpiresOn: '#/document/expiresOn',
}
export const columnAt = (pointer: string): string =>
  Object.entries(places).find(([, place]) => pointer === place || pointer.startsWith(`${place}/`))?.[0] ?? ''

const faultsIn = ({ case: { registeredOn }, identity, document }: Registration) => [
  ...faultsBy(identityRefusals, { identity, registeredOn }, '#/identity'),
  ...(document ? faultsBy(documentRefusals, { document, identity }, '#/document') : []),
]

export type Fault = { line: number; field: string; reason: string }
export type Read = Registration & {
  line: number
  division: string | undefined
  outcome: string | undefined
  decidedOn: string | undefined
}

/** Returns a line of the file as a registration, or its faults. */
export function readRow(line: number, record: Record<string, string>): { read: Read } | { faults: Fault[] } {
  const row = Row.safeParse(record)
  if (!row.success)
    return { faults: row.error.issues.map(issue => ({ line, field: String(issue.path[0]), reason: issue.message })) }
  const { division, outcome, decidedOn } = row.data
  const registration = Registration.safeParse(registrationOf(row.data))
  const found = registration.success ? faultsIn(registration.data) : faults(registration.error)
  if (!registration.success || found.length)
    return { faults: found.map(({ pointer, detail }) => ({ line, field: columnAt(pointer), reason: detail })) }
  return { read: { line, division, outcome, decidedOn, ...registration.data } }
}

function registrationOf(row: Row) {
  const { externalId, registeredOn, regionCode, category, causes, documentType } = row
  const name = filled({ family: row.familyName, given: row.givenName, patronymic: row.patronymic })
  return {
    case: { externalId, registeredOn, regionCode, category, causes: listed(causes) },
    identity: {
      names: Object.keys(name).length ? [{ kind: 'official', ...name }] : 'unknown',
      sex: row.sex ?? 'unknown',
      birth: birthOf(row.birthDate),
      ...(row.birthCountry && { birthPlace: { country: row.birthCountry } }),
      ...(row.formerDocumentType && {
        documents: [filled({ type: row.formerDocumentType, number: row.formerDocumentNumber })],
      }),
    },
    ...(documentType && {
      document: filled({
        documentType,
        number: row.documentNumber,
        issuedOn: row.documentIssuedOn,
        expiresOn: row.documentExpiresOn,
      }),
    }),
  }
}

const listed = (codes = '') =>
  codes
    .split(';')
    .map(code => code.trim())
    .filter(Boolean)

/** Returns a birth date with the precision of the text. */
function birthOf(date: string | undefined): Birth {
  if (!date) return { precision: 'unknown' }
  if (date.length === 4) return { precision: 'year', year: Number(date) }
  return date.length === 7 ? { precision: 'month', month: date } : { precision: 'day', date }
}

const filled = (parts: Record<string, string | undefined>) =>
  Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined))
