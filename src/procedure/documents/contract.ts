import { z } from 'zod'
import { Party } from '../../people/organisations/contract.ts'
import { Day, Id, Instant } from '../../platform/http/contract.ts'

const IdentityDocument = z
  .object({
    id: Id.describe('The event by which it was recorded.'),
    type: z.string(),
    number: z.string().nullable().describe('Null once it was erased.'),
    issuer: z.string().nullable(),
    iin: z.string().nullable(),
    issuedOn: Day,
    expiresOn: Day.nullable(),
    recordedAt: Instant,
    organisation: Party,
    handedOver: z
      .object({ on: Day, to: z.string().describe('A code of the list `handed_over_to`.') })
      .nullable()
      .describe('None while it waits for the person.'),
    imported: z.boolean(),
    annulled: z.boolean().describe('Recorded by mistake: it does not count.'),
  })
  .meta({ id: 'IdentityDocument' })
export type IdentityDocument = z.infer<typeof IdentityDocument>
export const IdentityDocuments = z.object({ items: z.array(IdentityDocument) }).meta({ id: 'IdentityDocuments' })
