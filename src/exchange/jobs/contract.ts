import { z } from 'zod'
import { PageQuery } from '../../platform/db/page.ts'
import { anyOf, Id, Instant } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const JobState = z.enum(['receiving', 'queued', 'running', 'done', 'failed', 'cancelled'])

export const Rejected = z.object({ line: z.int(), field: z.string(), reason: z.string() }).meta({ id: 'RejectedField' })
export type Rejected = z.infer<typeof Rejected>

export const JobSummary = z
  .object({
    id: Id,
    kind: z.literal('import'),
    state: JobState,
    done: z.int().describe('Rows processed so far.'),
    total: z.int().nullable().describe('Rows of the file; null until it was received.'),
    rate: z.int().nullable().describe('Rows per second since the job began to run.'),
    estimatedEnd: Instant.nullable(),
    accepted: z.int().describe('Rows that were accepted.'),
    registered: z.int().describe('Cases made by this import.'),
    existing: z.int().describe('Rows whose case existed already.'),
    rejectedRows: z.int(),
    dryRun: z.boolean(),
    failure: z.string().nullable().describe('The name of a problem.'),
    createdAt: Instant,
    endedAt: Instant.nullable(),
  })
  .meta({ id: 'JobSummary' })

export const Job = JobSummary.extend({
  rejected: z
    .array(Rejected)
    .describe('The first 200 faults: line, field and reason, never the value. `/rejected` returns all of them as CSV.'),
}).meta({ id: 'Job', extends: 'JobSummary' })
export type Job = z.infer<typeof Job>

export const JobQuery = PageQuery.extend({ state: anyOf(JobState) })
export type JobQuery = z.output<typeof JobQuery>
export const JobPage = pageContract('JobPage', JobSummary)
export type JobPage = z.infer<typeof JobPage>

export const RejectedFile = z.string().meta({ type: 'string', description: 'line, field, reason' })
