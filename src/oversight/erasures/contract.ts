import { z } from 'zod'
import { Zone } from '../../casefile/zones/contract.ts'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Code, Day, Id, Instant, text, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const Count = z.int().min(0)

export const ErasedCounts = z
  .object({
    zones: z.array(Zone).describe('All versions of these zones, with sex and birth year.'),
    identifiers: Count.describe('Keyed hashes of names and numbers, by which a search finds the person.'),
    relations: Count.describe('Links to cases of the family.'),
    grants: Count.describe('Open grants that close.'),
    notes: Count,
    tasks: Count,
    flags: Count,
    texts: Count.describe('Texts of events.'),
    documents: Count.describe('Documents that lose their number, issuer and IIN.'),
  })
  .meta({ id: 'ErasedCounts' })

export const ErasurePlan = z
  .object({
    caseId: Id,
    withFile: z.boolean().describe('True if your organisation owns the case: then the whole file is erased.'),
    kept: z.string().nullable().describe('Why it cannot be erased yet; null if it can.'),
    goes: ErasedCounts.describe(
      'What can no longer be read afterwards: in this database at once, in a backup once the key of its epoch is destroyed.',
    ),
    stays: z.array(
      z.object({
        what: z.string().describe('A code of the list `kept_after_erasure`.'),
        organisation: Party.nullable().describe('The organisation that holds it.'),
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
    withFile: z.boolean().describe('Whether the whole file is erased. Set at the approval.'),
    retentionRunId: Id.nullable().describe(
      'The retention run that this erasure is part of. It is approved with the run.',
    ),
    purpose: z.string().nullable().describe('For a retention run: the purpose whose term ended last.'),
    legalBasis: z.string().describe('A code of the list `erasure_basis`.'),
    reason: z.string().nullable().describe('Erased with the rest.'),
    state: ErasureState.describe(
      '`approved`: the case cannot change any more, and the erasure is carried out at once.',
    ),
    requestedBy: Id.nullable(),
    requestedAt: Instant,
    settledBy: Id.nullable(),
    settledAt: Instant.nullable(),
    doneAt: Instant.nullable(),
    epoch: z
      .int()
      .nullable()
      .describe('An older backup can be opened as long as the key of this epoch or of an earlier one exists.'),
    allowedDecisions: z.array(z.enum(['approve', 'reject'])).describe('What you can decide now.'),
    version: Version,
  })
  .meta({ id: 'Erasure' })
export type Erasure = z.infer<typeof Erasure>

export const ErasureQuery = PageQuery.extend({ state: ErasureState.optional() })
export type ErasureQuery = z.output<typeof ErasureQuery>
export const ErasurePage = pageContract('ErasurePage', Erasure)

export const NewErasure = z
  .strictObject({ legalBasis: Code.describe('A code of the list `erasure_basis`.'), reason: text(2000) })
  .meta({
    id: 'NewErasure',
    examples: [{ legalBasis: 'consent_withdrawn', reason: 'She asked for it in writing when she left for Tashkent.' }],
  })
export type NewErasure = z.output<typeof NewErasure>
