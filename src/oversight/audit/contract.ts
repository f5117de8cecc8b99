import { z } from 'zod'
import { Zone } from '../../casefile/zones/contract.ts'
import { Party } from '../../people/organisations/contract.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { anyOf, Code, Id, Instant, SentInstant } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'
import { outcomes } from './outcomes.ts'

const Operation = z.string().regex(/^[A-Za-z.]{1,60}$/, 'Expected the name of an operation, for example getCase')

export const EntryQuery = PageQuery.extend({
  account: Id.optional(),
  organisation: Id.optional(),
  case: Id.optional().describe('The id of a case that was read, changed or asked for, whether or not it exists.'),
  operation: anyOf(Operation),
  outcome: anyOf(z.enum(outcomes)).describe(
    '`refused` stands for all problems with a status below 500, `failed` for the others.',
  ),
  from: SentInstant.optional(),
  to: SentInstant.optional().describe('Before this instant.'),
})
export type EntryQuery = z.output<typeof EntryQuery>

export const Entry = z
  .object({
    id: Id,
    at: Instant,
    operation: z.string().describe('The operation of the API, or an action of the service itself.'),
    outcome: z.string().describe('`done`, or the name of the problem in the reply.'),
    account: Id.optional(),
    organisation: Id.optional(),
    roles: z.array(z.string()).optional(),
    session: Id.optional(),
    request: Id.optional().describe('The `x-request-id` of the reply.'),
    address: z.string().optional().describe("A keyed hash of the caller's address."),
    target: Id.optional().describe('The id in the path.'),
    subject: Id.optional().describe('The account that a caller named without having signed in.'),
    reason: z.string().optional(),
    migrations: z.array(z.string()).optional(),
    cases: z.array(Id).describe('Cases that were read, changed or asked for.'),
    zones: z.array(Zone).optional().describe('Zones that were opened.'),
    grants: z.array(Id).optional().describe('Grants that opened the cases.'),
    criteria: z
      .object({ fields: z.array(z.string()), hash: z.string() })
      .optional()
      .describe('The fields of a search, and a keyed hash of the values.'),
    versions: z.object({ before: z.int(), after: z.int().nullable().optional() }).optional(),
  })
  .meta({ id: 'AuditEntry' })
export type Entry = z.infer<typeof Entry>
export const EntryPage = pageContract('AuditEntryPage', Entry)

export const Look = z
  .object({
    id: Id,
    at: Instant,
    operation: z.string(),
    organisation: Party,
    roles: z.array(z.string()),
    account: Id.nullable().describe('The account, if it belongs to your organisation.'),
    zones: z.array(Zone),
    grants: z.array(z.object({ id: Id, purpose: Code, basis: Code })).describe('The grants that opened the case.'),
  })
  .meta({ id: 'Look' })
export type Look = z.infer<typeof Look>
export const AccessLog = pageContract('AccessLog', Look)
