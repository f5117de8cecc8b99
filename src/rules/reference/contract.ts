import { z } from 'zod'
import { Day, Label } from '../../platform/http/contract.ts'

const evidence = {
  source: z.string(),
  verified: z.boolean().describe('Whether somebody has checked the row against its source.'),
}

export const Region = z
  .object({
    code: z.string(),
    kato: z.string().describe('Code of the classifier of administrative units.'),
    label: Label,
    centre: z.string(),
    validFrom: Day.nullable(),
    validTo: Day.nullable().describe('The first day on which it is no more.'),
    predecessor: z.string().nullable(),
    timeZone: z.string(),
    note: z.string(),
    ...evidence,
  })
  .meta({ id: 'Region' })
export type Region = z.infer<typeof Region>
export const RegionQuery = z.strictObject({
  asOf: Day.optional().describe('The map and the names of that day; today by default.'),
})
export const Regions = z.object({ asOf: Day, items: z.array(Region) }).meta({ id: 'Regions' })
export type Regions = z.infer<typeof Regions>

export const CodeLists = z
  .object({ items: z.array(z.object({ list: z.string(), codes: z.int() })) })
  .meta({ id: 'CodeLists' })
export type CodeLists = z.infer<typeof CodeLists>

export const Code = z
  .object({
    code: z.string(),
    label: Label,
    polarity: z.enum(['positive', 'neutral', 'negative']).nullable(),
    needsDocument: z.boolean().nullable(),
    needsState: z.boolean().nullable().describe('The outcome speaks of a State, which is to be named.'),
    sensitive: z.boolean().nullable(),
    keepsFile: z.boolean().nullable().describe('As long as the flag stands, nothing is erased.'),
    ...evidence,
  })
  .meta({ id: 'Code' })
export const CodeListParams = z.strictObject({ list: z.string().max(60) })
export const CodeList = z.object({ list: z.string(), items: z.array(Code) }).meta({ id: 'CodeList' })
export type CodeList = z.infer<typeof CodeList>

export const Term = z
  .object({ term: z.string(), unit: z.string(), value: z.int(), label: Label, ...evidence })
  .meta({ id: 'Term' })
export const Terms = z.object({ items: z.array(Term) }).meta({ id: 'Terms' })
export type Terms = z.infer<typeof Terms>

export const Threshold = z
  .object({ threshold: z.string(), value: z.int(), label: Label, ...evidence })
  .meta({ id: 'Threshold' })
export const Thresholds = z.object({ items: z.array(Threshold) }).meta({ id: 'Thresholds' })
export type Thresholds = z.infer<typeof Thresholds>

const Purpose = z
  .object({
    purpose: z.string(),
    recipients: z.array(z.string()).describe('The kinds of organisation that this is shared with.'),
    withoutRepresentative: z.boolean().describe('Whether it may be shared of a child for whom nobody speaks yet.'),
    namesStates: z.boolean().describe('It names the States to which it may be made known.'),
    legalBasis: z.string().nullable().describe('The law by which an authority that handles a case sees some of it.'),
    legalZones: z.array(z.string()).describe('What it sees by that law, whatever the person agreed to.'),
    ...evidence,
  })
  .meta({ id: 'PurposeRule' })
export const Purposes = z.object({ items: z.array(Purpose) }).meta({ id: 'Purposes' })
export type Purposes = z.infer<typeof Purposes>

const RetentionRule = z
  .object({
    purpose: z.string(),
    kind: z.string().describe('The kind of organisation that holds something for this purpose.'),
    term: z.string().describe('How long it is kept from the end of the purpose: of the terms.'),
    obligatory: z.boolean().describe('Whether it has to be kept so long: nothing is erased before.'),
    legalReference: z.string(),
    ...evidence,
  })
  .meta({ id: 'RetentionRule' })
export const RetentionRules = z.object({ items: z.array(RetentionRule) }).meta({ id: 'RetentionRules' })
export type RetentionRules = z.infer<typeof RetentionRules>

const ConsentForm = z
  .object({
    version: z.string(),
    language: z.string(),
    parts: z.record(z.string(), z.string()).describe('What is read to the person, and stands on their receipt.'),
    ...evidence,
  })
  .meta({ id: 'ConsentForm' })
export const ConsentForms = z.object({ items: z.array(ConsentForm) }).meta({ id: 'ConsentForms' })
export type ConsentForms = z.infer<typeof ConsentForms>
