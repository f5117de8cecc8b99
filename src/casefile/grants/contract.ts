import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Code, Country, Day, Id, Instant, Language, line, text, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'
import { Zone } from '../zones/contract.ts'

export const Purpose = z
  .enum([
    'case_management',
    'status_determination',
    'birth_registration',
    'consular_inquiry',
    'legal_aid',
    'service_referral',
    'case_conference',
  ])
  .meta({ id: 'Purpose' })
export type Purpose = z.infer<typeof Purpose>

const Representative = z
  .strictObject({
    kind: z.enum(['parent', 'guardian', 'guardianship_authority', 'none_yet']),
    name: line(200).optional(),
  })
  .refine(({ kind, name }) => name !== undefined || !['parent', 'guardian'].includes(kind), {
    path: ['name'],
    message: 'Missing: a parent or guardian needs a name',
  })
  .meta({
    id: 'Representative',
    description: 'Who represents a child. Required if the person could be under 18 on that day.',
  })

const Consent = z
  .strictObject({
    kind: z.literal('consent'),
    method: z.enum(['written', 'oral_with_witness', 'thumbprint']),
    language: Language,
    formVersion: z
      .string()
      .max(20)
      .regex(/^[\w.-]+$/, 'Expected the version of a consent form, for example 2026-1')
      .optional()
      .describe('A version listed at `/v1/consent-forms`; default the current one.'),
    witness: line(200).optional().describe('The witness of oral consent.'),
    interpreter: line(200).optional().describe('The interpreter.'),
    representative: Representative.optional(),
  })
  .refine(({ method, witness }) => method !== 'oral_with_witness' || witness !== undefined, {
    path: ['witness'],
    message: 'Missing: oral consent needs the name of the witness',
  })
  .meta({ id: 'Consent', description: 'The person agreed.' })
export type Consent = z.output<typeof Consent>

/** The legal basis of the person's file: their consent, or the law that an authority acts by. */
export const Basis = z
  .discriminatedUnion('kind', [
    Consent,
    z
      .strictObject({
        kind: z.literal('statute'),
        legalReference: Code.describe('A code of the list `legal_basis`.'),
        representative: Representative.optional(),
      })
      .meta({ id: 'Statute', description: 'A law by which an authority acts.' }),
  ])
  .meta({ id: 'Basis', description: 'Consent of the person, or the law that an authority acts by.' })
export type Basis = z.output<typeof Basis>

const VitalInterest = z
  .strictObject({
    kind: z.literal('vital_interest'),
    reason: text(2000).describe('Whose life is in danger, and why the person could not be asked.'),
    representative: Representative.optional(),
  })
  .meta({ id: 'VitalInterest', description: 'A life is in danger, and the person could not be asked.' })

export const NewGrant = z
  .strictObject({
    to: Id.describe('The recipient organisation.'),
    purpose: Purpose,
    zones: z.array(Zone).min(1).max(Zone.options.length),
    validUntil: Day.optional().describe(
      'The last day; default from the term `grant`. A grant for a child ends soon after the child comes of age.',
    ),
    basis: z
      .discriminatedUnion('kind', [Consent, VitalInterest])
      .meta({ id: 'GrantBasis' })
      .optional()
      .describe('Leave it out to pass on what you were granted, under the same consent.'),
    onward: z
      .boolean()
      .default(false)
      .describe('Whether the recipient can pass it on, with no more zones and for no longer.'),
    states: z.array(Country).max(50).default([]).describe('States that it can be made known to.'),
    publication: z.boolean().default(false),
  })
  .meta({
    id: 'NewGrant',
    examples: [
      {
        to: '0193f0a4-0000-7000-8000-000000000003',
        purpose: 'legal_aid',
        zones: ['identity', 'contact'],
        validUntil: '2027-11-23',
        basis: { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1' },
      },
    ],
  })
export type NewGrant = z.output<typeof NewGrant>

const GrantAction = z.enum(['revoke', 'acknowledge', 'confirm'])

/** The persons present when the grant was given or closed, and the reasons. */
export const Particulars = z
  .object({
    representative: z.string(),
    witness: z.string(),
    interpreter: z.string(),
    reason: z.string(),
    revocation: z.string(),
  })
  .partial()
export type Particulars = z.input<typeof Particulars>

export const Grant = z
  .object({
    id: Id,
    caseId: Id,
    from: Party,
    to: Party,
    purpose: Purpose,
    zones: z.array(Zone),
    basis: z.enum(['consent', 'statute', 'vital_interest', 'custody']),
    legalReference: z.string().nullable(),
    method: z.string().nullable(),
    language: z.string().nullable(),
    formVersion: z.string().nullable(),
    representative: z.string().nullable(),
    onward: z.boolean(),
    states: z.array(z.string()),
    publication: z.boolean(),
    parentId: Id.nullable().describe('The grant that this one passes on.'),
    state: z
      .enum(['offered', 'open', 'suspended', 'expired', 'closed'])
      .describe(
        '`offered`: the grant opens when its referral is accepted. `suspended`: see suspendedFor. Neither shows anything.',
      ),
    suspendedFor: z
      .array(z.enum(['representative_missing', 'state_must_not_know']))
      .describe('Why it is suspended. Only for the owner of the case.'),
    givenAt: Instant,
    openedAt: Instant.nullable(),
    validUntil: Instant.nullable().describe('Null if the grant has no end date.'),
    confirmedAt: Instant.nullable().describe('When a second person confirmed the danger to life.'),
    closedAt: Instant.nullable(),
    closedReason: z.string().nullable(),
    acknowledgedAt: Instant.nullable().describe('When the recipient acknowledged the revocation.'),
    particulars: Particulars.nullable().describe(
      'Names and reasons recorded with the grant. Only the organisation that recorded them sees them.',
    ),
    allowedActions: z.array(GrantAction),
    version: Version,
  })
  .meta({ id: 'Grant' })
export type Grant = z.infer<typeof Grant>

export const RevokedGrant = Grant.extend({
  stillOpen: z
    .array(Grant.pick({ id: true, purpose: true, zones: true, basis: true, validUntil: true }))
    .describe('Other grants that open the case to the same recipient, of those that you can see.'),
}).meta({ id: 'RevokedGrant', extends: 'Grant' })
export type RevokedGrant = z.infer<typeof RevokedGrant>

export const GrantQuery = PageQuery.extend({
  box: z
    .enum(['given', 'received'])
    .optional()
    .describe('Given by your organisation, or received by it; default both.'),
  state: Grant.shape.state.optional(),
  basis: Grant.shape.basis.optional(),
})
export type GrantQuery = z.output<typeof GrantQuery>
export const GrantPage = pageContract('GrantPage', Grant)

export const Revocation = z
  .strictObject({ reason: text(2000).optional().describe('Optional: the person does not have to give a reason.') })
  .meta({ id: 'Revocation', examples: [{}] })
export type Revocation = z.output<typeof Revocation>

export const FormLanguage = z.enum(['en', 'ru', 'kk'])
export type FormLanguage = z.infer<typeof FormLanguage>
export const ReceiptQuery = z.strictObject({
  language: FormLanguage.optional().describe(
    'Default: the language of the consent if there is a text in it, else English.',
  ),
})

/** The receipt for the person: in plain words, without their name. */
export const Receipt = z
  .object({
    id: Id,
    caseId: Id,
    language: FormLanguage,
    formVersion: z.string(),
    title: z.string(),
    statements: z.array(z.string()).describe('The legal basis, the allowed use, how to withdraw, and what is kept.'),
    facts: z.array(z.object({ part: z.string(), label: z.string(), value: z.string() })),
  })
  .meta({ id: 'Receipt' })
export type Receipt = z.infer<typeof Receipt>
