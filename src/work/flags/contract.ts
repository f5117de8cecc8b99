import { z } from 'zod'
import { PageQuery } from '../../platform/db/page.ts'
import { Code, Day, Id, Instant, text, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

export const Flag = z
  .object({
    id: Id,
    caseId: Id,
    kind: z.string().describe('A code of the list `flag`.'),
    reason: z.string(),
    dueOn: Day.nullable(),
    raisedBy: Id,
    raisedAt: Instant,
    clearedBy: Id.nullable(),
    clearedAt: Instant.nullable(),
    clearance: z.string().nullable().describe('Why the flag was cleared.'),
    version: Version,
  })
  .meta({ id: 'Flag' })
export type Flag = z.infer<typeof Flag>

export const FlagQuery = PageQuery
export const FlagPage = pageContract('FlagPage', Flag)

export const NewFlag = z
  .strictObject({
    kind: Code.describe('A code of the list `flag`.'),
    reason: text(2000),
    dueOn: Day.nullable().default(null),
  })
  .meta({
    id: 'NewFlag',
    examples: [{ kind: 'deadline', reason: 'The permit of the employer ends.', dueOn: '2026-03-31' }],
  })
export type NewFlag = z.output<typeof NewFlag>

export const Clearance = z
  .strictObject({ reason: text(2000) })
  .meta({ id: 'Clearance', examples: [{ reason: 'The permit was renewed.' }] })
