import { z } from 'zod'
import { Day, Label } from '../../platform/http/contract.ts'

const evidence = {
  source: z.string(),
  verified: z.boolean().describe('Whether the row was checked against its source.'),
}

export const Region = z
  .object({
    code: z.string(),
    kato: z.string().describe('The code in the national classifier of administrative units.'),
    label: Label,
    centre: z.string(),
    validFrom: Day.nullable(),
    validTo: Day.nullable().describe('The first day on which the region no longer exists.'),
    predecessor: z.string().nullable(),
    timeZone: z.string(),
    note: z.string(),
    ...evidence,
  })
  .meta({ id: 'Region' })
export type Region = z.infer<typeof Region>
export const RegionQuery = z.strictObject({
  asOf: Day.optional().describe('Regions and names as of this day; default today.'),
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
    needsState: z.boolean().nullable().describe('The outcome needs a State.'),
    sensitive: z.boolean().nullable(),
    keepsFile: z.boolean().nullable().describe('While such a flag is open, nothing of the case is erased.'),
    numberDigits: z
      .int()
      .nullable()
      .describe('How many digits the number of such a document has, if it has only digits.'),
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
    recipients: z.array(z.string()).describe('Kinds of organisation that can receive a grant for this purpose.'),
    withoutRepresentative: z
      .boolean()
      .describe('Whether a child without a representative can be shared for this purpose.'),
    namesStates: z.boolean().describe('Whether the grant must name States.'),
    legalBasis: z.string().nullable().describe('The law that opens zones to the authority that handles the case.'),
    legalZones: z.array(z.string()).describe('The zones that this law opens, whether or not the person agreed.'),
    ...evidence,
  })
  .meta({ id: 'PurposeRule' })
export const Purposes = z.object({ items: z.array(Purpose) }).meta({ id: 'Purposes' })
export type Purposes = z.infer<typeof Purposes>

const RetentionRule = z
  .object({
    purpose: z.string(),
    kind: z.string().describe('The kind of organisation that holds data for this purpose.'),
    term: z.string().describe('The term for which it is kept after the purpose has ended.'),
    obligatory: z.boolean().describe('Whether it must be kept for that term.'),
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
    parts: z
      .record(z.string(), z.string())
      .describe('Texts that are read to the person and printed on the receipt, by part.'),
    ...evidence,
  })
  .meta({ id: 'ConsentForm' })
export const ConsentForms = z.object({ items: z.array(ConsentForm) }).meta({ id: 'ConsentForms' })
export type ConsentForms = z.infer<typeof ConsentForms>
