import { z } from 'zod'
import { Id, Instant } from '../http/contract.ts'
import { columns } from './row.ts'

export const ImportQuery = z.strictObject({
  campaignId: Id.optional().describe('The campaign that the registrations belong to.'),
  dryRun: z.enum(['true', 'false']).default('false').describe('Report without writing.'),
})
export type ImportQuery = z.output<typeof ImportQuery>

export const ImportFile = z.custom<AsyncIterable<Buffer>>().meta({
  type: 'string',
  description: [
    'A CSV file in UTF-8 with a header row, one row a registration and what is known to have happened since. Columns:',
    `${columns.join(', ')}; those after birthCountry, and division, may be missing. causes: codes, with ";" between them.`,
    'birthDate: YYYY, YYYY-MM or YYYY-MM-DD. division: the short name of one below the importing committee.',
  ].join(' '),
})

const Rejected = z.object({ line: z.int(), field: z.string(), reason: z.string() }).meta({ id: 'RejectedField' })

export const Job = z
  .object({
    id: Id,
    kind: z.literal('import'),
    state: z.enum(['receiving', 'queued', 'running', 'done', 'failed']),
    done: z.int().describe('Rows taken so far.'),
    total: z.int().nullable().describe('Rows of the file, once all of it is read.'),
    accepted: z.int().describe('Rows that are on file now.'),
    registered: z.int().describe('Cases that this import made.'),
    existing: z.int().describe('Rows whose case was on file already.'),
    rejectedRows: z.int(),
    rejected: z.array(Rejected).describe('The first 200 faults: line, field and reason, never the value.'),
    dryRun: z.boolean(),
    failure: z.string().nullable(),
    createdAt: Instant,
    endedAt: Instant.nullable(),
  })
  .meta({ id: 'Job' })
export type Job = z.infer<typeof Job>
