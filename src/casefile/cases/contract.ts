import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { ChangeCursor, PageQuery } from '../../platform/db/page.ts'
import {
  anyOf,
  Code,
  Day,
  Id,
  Instant,
  line,
  RegionCode,
  SentInstant,
  TrueOrFalse,
  Version,
} from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'
import { CaseAction, CaseState, Waited } from '../../rules/lifecycle/contract.ts'
import { Basis, NewGrant } from '../grants/contract.ts'
import { documents, Notices, Person, Zone } from '../zones/contract.ts'
import { Iin } from '../zones/identity.ts'

const { identity, contact, whereabouts, protection } = documents

/** The owner's own number of a case, trimmed. */
export const ExternalId = line(100)

export const NewCase = z
  .strictObject({
    campaignId: Id.optional(),
    externalId: ExternalId.optional().describe('Your own number of the case; unique in your organisation.'),
    regionCode: RegionCode,
    registeredOn: Day.optional().describe('Default today.'),
    category: Code,
    causes: z.array(Code).max(20).default([]),
    basis: Basis,
    person: z.strictObject({
      identity,
      contact: contact.optional(),
      whereabouts: whereabouts.optional(),
      protection: protection.optional(),
    }),
    grants: z.array(NewGrant).max(20).default([]).describe('What the person agreed to share at registration.'),
  })
  .meta({
    id: 'NewCase',
    examples: [
      {
        externalId: 'form-118',
        regionCode: 'KZ-75',
        registeredOn: '2021-03-04',
        category: 'ussr_passport_1974',
        causes: ['state_succession'],
        basis: { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1' },
        person: {
          identity: {
            names: [{ kind: 'official', family: 'Әбдіғали', given: 'Қайрат', patronymic: 'Серікұлы' }],
            sex: 'male',
            birth: { precision: 'year', year: 1961 },
            birthPlace: { country: 'UZB', text: 'Нукус' },
          },
          contact: { phones: ['+77010000000'] },
        },
      },
    ],
  })
export type NewCase = z.output<typeof NewCase>

/** The fields of a case that a grant for any zone shows. */
export const CaseIndex = z
  .object({
    id: Id,
    number: z.string(),
    campaignId: Id.nullable(),
    state: CaseState,
    outcome: z.string().nullable(),
    regionCode: z.string(),
    category: z.string(),
    causes: z.array(z.string()),
    owner: Party,
    handler: Party.nullable(),
    assigneeId: Id.nullable().describe('The account that looks after the case. Only the owner sees it.'),
    registeredOn: Day,
    clock: z
      .object({ waitingFor: Waited, since: Day, dueOn: Day.nullable() })
      .nullable()
      .describe('Who has to act next, since when, and until when.'),
    updatedAt: Instant,
    version: Version,
    erasedAt: Instant.nullable().describe('When the file was erased. After that the case cannot change.'),
  })
  .meta({ id: 'CaseIndex' })
export type CaseIndex = z.infer<typeof CaseIndex>

export const Case = CaseIndex.extend({
  person: Person,
  withheld: z.array(Zone).describe('Zones that are not open to you.'),
  basis: z
    .object({
      kind: z.enum(['consent', 'statute', 'custody']),
      method: z.string().nullable(),
      language: z.string().nullable(),
      formVersion: z.string().nullable(),
      legalReference: z.string().nullable(),
      representative: z.string().nullable(),
    })
    .nullable()
    .describe('The legal basis of the file. Only the owner sees it.'),
  notices: Notices.describe('What the service found odd in the zones that are open to you.'),
  allowedActions: z.array(CaseAction),
}).meta({ id: 'Case', extends: 'CaseIndex' })
export type Case = z.infer<typeof Case>

export const RegisteredCase = Case.extend({
  possibleDuplicates: z
    .array(z.object({ id: Id, number: z.string() }))
    .describe('Cases open to you that have the same document number or IIN.'),
}).meta({ id: 'RegisteredCase', extends: 'Case' })
export type RegisteredCase = z.infer<typeof RegisteredCase>

const filters = {
  state: anyOf(CaseState),
  outcome: anyOf(Code),
  region: anyOf(RegionCode),
  category: anyOf(Code),
  campaign: anyOf(Id),
  owner: anyOf(Id),
  handler: anyOf(Id),
  assignee: anyOf(Id),
}
export const CaseQuery = PageQuery.extend({
  ...filters,
  overdue: TrueOrFalse.optional().describe('Whether the due date of the case has passed.'),
  flagged: TrueOrFalse.optional().describe('Whether your organisation has an open flag on the case.'),
  updatedSince: SentInstant.optional().describe(
    'Only cases that took a step or that were opened to you since this instant, oldest change first. Not reported: corrected zones, and cases that you cannot read any more.',
  ),
  cursor: z.union([PageQuery.shape.cursor, ChangeCursor]).optional(),
}).refine(({ updatedSince, cursor }) => !cursor || (updatedSince !== undefined) === (typeof cursor === 'object'), {
  path: ['cursor'],
  message: 'Expected the nextCursor of a reply with the same updatedSince',
})
export type CaseQuery = z.output<typeof CaseQuery>
export const CasePage = pageContract('CasePage', CaseIndex)
export const CaseList = CasePage.extend({
  syncedThrough: Instant.optional().describe(
    'With `updatedSince`: all changes before this instant are listed. Send it as the next `updatedSince`, so that you miss none.',
  ),
}).meta({ id: 'CaseList', extends: 'CasePage' })
export type CaseList = z.infer<typeof CaseList>

export const CaseSearch = z
  .strictObject({
    number: z.string().max(30).optional(),
    iin: Iin.optional(),
    documentNumber: line(60).optional().describe('The number of a document that the person held or received.'),
    names: z.array(line(120)).min(1).max(6).optional().describe('Parts of a name. All of them must match.'),
  })
  .refine(({ number, iin, documentNumber, names }) => number ?? iin ?? documentNumber ?? names, {
    message: 'Expected at least one of number, iin, documentNumber, names',
  })
  .meta({ id: 'CaseSearch', examples: [{ names: ['Әбдіғали', 'Қайрат'] }] })
export type CaseSearch = z.output<typeof CaseSearch>

export const Assignment = z
  .strictObject({ assigneeId: Id.describe('An active account of your organisation.') })
  .meta({ id: 'Assignment', examples: [{ assigneeId: '0193f0a4-0000-7000-8000-000000000001' }] })
export type Assignment = z.output<typeof Assignment>

export const Assignments = z
  .object({
    items: z.array(
      z.object({
        assigneeId: Id.nullable(),
        assignedBy: Id.nullable().describe('Null if it was not recorded.'),
        assignedAt: Instant,
      }),
    ),
  })
  .meta({ id: 'Assignments' })
export type Assignments = z.infer<typeof Assignments>
