import { z } from 'zod'
import { Case } from '../../casefile/cases/contract.ts'
import { CaseEvent, NewDocument } from '../../casefile/events/contract.ts'
import { Basis } from '../../casefile/grants/contract.ts'
import { Code, Country, Day, Id, line, RegionCode, text } from '../../platform/http/contract.ts'

const occurredOn = Day.optional().describe('The day on which it happened; default today.')
const note = text(2000).optional()

const close = z
  .strictObject({
    action: z.literal('close'),
    occurredOn,
    reason: Code.describe('A code of the list `close_reason`.'),
    note,
  })
  .meta({ id: 'Closing' })

const simple = <A extends string>(action: A, id: string) =>
  z.strictObject({ action: z.literal(action), occurredOn }).meta({ id })

/** A step that needs one person. */
export const Transition = z
  .discriminatedUnion('action', [
    z
      .strictObject({
        action: z.literal('amend'),
        occurredOn,
        regionCode: RegionCode.optional(),
        category: Code.optional(),
        causes: z.array(Code).max(20).optional(),
        reason: text(2000),
      })
      .refine(({ regionCode, category, causes }) => regionCode ?? category ?? causes, {
        message: 'Expected at least one of regionCode, category, causes',
      })
      .meta({ id: 'Amendment' }),
    simple('start_assessment', 'AssessmentStart'),
    simple('take_up', 'TakeUp'),
    simple('open_documentation', 'DocumentationStart'),
    z
      .strictObject({
        action: z.literal('hand_over_document'),
        occurredOn,
        documentId: Id,
        to: Code.describe('A code of the list `handed_over_to`.'),
        name: line(200).optional().describe('The name of the person who received it.'),
      })
      .meta({ id: 'DocumentHandOver' }),
    close,
    z
      .strictObject({ action: z.literal('reopen'), occurredOn, basis: Basis, reason: text(2000) })
      .meta({ id: 'Reopening' }),
    z.strictObject({ action: z.literal('renew_basis'), occurredOn, basis: Basis }).meta({ id: 'BasisRenewal' }),
    z.strictObject({ action: z.literal('withdraw'), occurredOn, note }).meta({ id: 'Withdrawal' }),
  ])
  .meta({ id: 'Transition', examples: [{ action: 'start_assessment' }] })
export type Transition = z.output<typeof Transition>

/** A step that needs two persons. */
export const ProposedStep = z
  .discriminatedUnion('action', [
    z
      .strictObject({
        action: z.literal('decide'),
        occurredOn,
        outcome: Code.describe('A code of the list `outcome`.'),
        country: Country.optional().describe('The State that the outcome names, if it names one.'),
        legalReference: Code.describe('A code of the list `legal_basis`.'),
        reasons: text(20_000),
        evidence: z.array(text(500)).max(50).default([]).describe('The evidence for the finding.'),
      })
      .meta({ id: 'NewDecision' }),
    z
      .strictObject({
        action: z.literal('discontinue'),
        occurredOn,
        reason: Code.describe('A code of the list `discontinue_reason`.'),
        reasons: text(20_000),
      })
      .meta({ id: 'Discontinuation' }),
    NewDocument.safeExtend({ action: z.literal('record_document'), occurredOn }).meta({ id: 'NewDocument' }),
    close,
    z
      .strictObject({
        action: z.literal('annul'),
        occurredOn,
        eventId: Id.describe('The event that was entered by mistake.'),
        reason: text(2000),
      })
      .meta({ id: 'Annulment' }),
  ])
  .meta({
    id: 'ProposedStep',
    examples: [
      {
        action: 'decide',
        outcome: 'kz_citizenship_confirmed',
        legalReference: 'order_607',
        reasons: 'Registered here on 1 March 1992.',
        evidence: ['Certificate of the housing office'],
      },
    ],
  })
export type ProposedStep = z.output<typeof ProposedStep>

/** The event, and the case as it is now; null if the case is no longer open to the caller. */
export const Outcome = z
  .object({
    event: CaseEvent.pick({ id: true, action: true, occurredOn: true, recordedAt: true }).meta({ id: 'EventReceipt' }),
    case: Case.nullable(),
  })
  .meta({ id: 'TransitionOutcome' })
export type Outcome = z.infer<typeof Outcome>
