import { z } from 'zod'
import { Id, Instant } from '../../platform/http/contract.ts'
import { Notices } from '../zones/contract.ts'

const Kind = z.enum(['parent', 'child', 'spouse', 'sibling', 'guardian', 'ward'])
export type Kind = z.infer<typeof Kind>

export const Relation = z
  .object({
    id: Id,
    kind: Kind.describe('The relation of the other person to this one.'),
    case: z.object({ id: Id, number: z.string() }).describe('The case of the other person.'),
    madeAt: Instant,
    notices: Notices.describe('What the service found odd in both identities, if both are open to you.'),
  })
  .meta({ id: 'Relation' })
export type Relation = z.infer<typeof Relation>
export const Relations = z.object({ items: z.array(Relation) }).meta({ id: 'Relations' })

export const NewRelation = z
  .strictObject({ kind: Kind.describe('The relation of the other person to this one.'), caseId: Id })
  .meta({ id: 'NewRelation', examples: [{ kind: 'child', caseId: '0193f0a4-0000-7000-8000-000000000002' }] })
export type NewRelation = z.output<typeof NewRelation>

export const RelationParams = z.strictObject({ id: Id, relationId: Id })
