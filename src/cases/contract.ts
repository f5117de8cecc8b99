import { z } from 'zod'
import { OrganisationKind } from '../access/permissions.ts'
import { PageQuery } from '../db/page.ts'
import { anyOf, Day, Id, Instant, Version } from '../http/contract.ts'
import { pageContract } from '../http/page.ts'
import { Identity, Zone } from '../zones/contract.ts'
import { CaseAction, CaseState } from './policy.ts'

const code = z.string().regex(/^[a-z0-9_]{1,60}$/, 'A code')
const RegionCode = z.string().max(10)

/** Why the person's file may be kept: what they agreed to, or the law that an authority acts by. */
const Basis = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('consent'),
    method: z.enum(['written', 'oral_with_witness', 'thumbprint']),
    language: z.string().regex(/^[a-z]{2}$/, 'A language of ISO 639-1'),
    formVersion: z
      .string()
      .max(20)
      .regex(/^[\w.-]+$/),
  }),
  z.strictObject({ kind: z.literal('statute'), legalReference: code.describe('A code of the list `legal_basis`.') }),
])
export type Basis = z.infer<typeof Basis>

export const NewCase = z
  .strictObject({
    campaignId: Id.optional(),
    externalId: z.string().min(1).max(100).optional().describe('Your own number for it; unique in your organisation.'),
    regionCode: RegionCode,
    registeredOn: Day,
    category: code,
    causes: z.array(code).max(20).default([]),
    basis: Basis,
    person: z.strictObject({ identity: Identity }),
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
        },
      },
    ],
  })
export type NewCase = z.output<typeof NewCase>

const Party = z.object({ id: Id, name: z.string(), kind: OrganisationKind }).meta({ id: 'Party' })

/** What a grant of any zone shows of a case. */
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
    assigneeId: Id.nullable(),
    registeredOn: Day,
    updatedAt: Instant,
    version: Version,
  })
  .meta({ id: 'CaseIndex' })
export type CaseIndex = z.infer<typeof CaseIndex>

export const Case = CaseIndex.extend({
  person: z.object({ identity: Identity.extend({ version: Version }).meta({ id: 'IdentityVersion' }).optional() }),
  withheld: z.array(Zone).describe('Zones that nobody agreed to show you.'),
  allowedActions: z.array(CaseAction),
}).meta({ id: 'Case' })
export type Case = z.infer<typeof Case>

export const CaseQuery = PageQuery.extend({
  state: anyOf(CaseState),
  outcome: anyOf(code),
  region: anyOf(RegionCode),
  category: anyOf(code),
  campaign: anyOf(Id),
  owner: anyOf(Id),
})
export type CaseQuery = z.output<typeof CaseQuery>
export const CasePage = pageContract('CasePage', CaseIndex)

export const CaseEvent = z
  .object({
    id: Id,
    action: CaseAction,
    fromState: CaseState.nullable(),
    toState: CaseState,
    occurredOn: Day,
    recordedAt: Instant,
    organisation: Party,
    imported: z.boolean(),
  })
  .meta({ id: 'CaseEvent' })
export type CaseEvent = z.infer<typeof CaseEvent>
export const CaseEvents = z.object({ items: z.array(CaseEvent) }).meta({ id: 'CaseEvents' })
