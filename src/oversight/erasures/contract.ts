import { z } from 'zod'
import { Zone } from '../../casefile/zones/contract.ts'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Code, Day, Id, Instant, text, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const Count = z.int().min(0)

export const ErasurePlan = z
  .object({
    caseId: Id,
    withFile: z.boolean().describe('The case is yours: what is known of the person goes, whoever wrote it.'),
    kept: z.string().nullable().describe('Why it has to stay for now; null when it may go.'),
    goes: z
      .object({
        zones: z.array(Zone).describe('In all their versions, with sex and year of birth.'),
        identifiers: Count.describe('What the person is found by: keyed hashes of names and numbers.'),
        relations: Count.describe('Links to the family.'),
        grants: Count.describe('That stand open and close.'),
        notes: Count,
        tasks: Count,
        flags: Count,
        texts: Count.describe('What was typed along with events.'),
        documents: Count.describe('Whose number, issuer and IIN go.'),
      })
      .describe(
        'What can be read by nobody any more, in this database and in every backup once its epoch is destroyed.',
      ),
    stays: z.array(
      z.object({
        what: z.string().describe('A code of the list `kept_after_erasure`.'),
        organisation: Party.nullable().describe('Who holds it.'),
        until: Day.nullable(),
        law: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'ErasurePlan' })
export type ErasurePlan = z.infer<typeof ErasurePlan>

const ErasureState = z.enum(['requested', 'approved', 'rejected', 'done'])

export const Erasure = z
  .object({
    id: Id,
    caseId: Id,
    withFile: z.boolean().describe('With what is known of the person; known once it is approved.'),
    retentionRunId: Id.nullable().describe('The run that it is part of: it is approved as a whole.'),
    purpose: z.string().nullable().describe('Of a run: whose term ended last.'),
    legalBasis: z.string().describe('A code of the list `erasure_basis`.'),
    reason: z.string().nullable().describe('It goes with the rest.'),
    state: ErasureState.describe('Approved: nothing happens to the case any more, and it is done at once.'),
    requestedBy: Id.nullable(),
    requestedAt: Instant,
    settledBy: Id.nullable(),
    settledAt: Instant.nullable(),
    doneAt: Instant.nullable(),
    epoch: z
      .int()
      .nullable()
      .describe('Backups from before it open as long as the key of this epoch, or of an older one, exists.'),
    allowedDecisions: z.array(z.enum(['approve', 'reject'])).describe('What you may do with it.'),
    version: Version,
  })
  .meta({ id: 'Erasure' })
export type Erasure = z.infer<typeof Erasure>

export const ErasureQuery = PageQuery.extend({ state: ErasureState.optional() })
export type ErasureQuery = z.output<typeof ErasureQuery>
export const ErasurePage = pageContract('ErasurePage', Erasure)

export const NewErasure = z
  .strictObject({ legalBasis: Code.describe('Of the list `erasure_basis`.'), reason: text(2000) })
  .meta({
    id: 'NewErasure',
    examples: [{ legalBasis: 'consent_withdrawn', reason: 'She asked for it in writing when she left for Tashkent.' }],
  })
export type NewErasure = z.output<typeof NewErasure>
