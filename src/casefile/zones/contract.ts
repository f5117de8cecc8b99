import { z } from 'zod'
import { Colleague } from '../../people/accounts/contract.ts'
import {
  Code,
  Country,
  Day,
  Id,
  Instant,
  Language,
  line,
  RegionCode,
  text,
  Version,
} from '../../platform/http/contract.ts'
import { Identity } from './identity.ts'

/** What the service found odd and has accepted. Never a value. */
export const Notice = z
  .object({ code: z.string().describe('A code of the list `notice`.'), pointer: z.string() })
  .meta({ id: 'Notice', description: 'What the service found odd and has accepted.' })
export type Notice = z.infer<typeof Notice>
export const Notices = z.array(Notice)

export const Zone = z.enum(['identity', 'contact', 'whereabouts', 'protection']).meta({ id: 'Zone' })
export type Zone = z.infer<typeof Zone>

/** How to reach the person safely. */
export const Contact = z
  .strictObject({
    phones: z
      .array(z.string().regex(/^\+\d{7,15}$/, 'Expected a number with its country code, for example +77010000000'))
      .max(10)
      .optional(),
    messengers: z
      .array(z.strictObject({ service: line(40), handle: line(100) }))
      .max(10)
      .optional(),
    emails: z.array(z.email().max(200)).max(5).optional(),
    languages: z.array(Language).max(10).optional(),
    instructions: text(2000).optional().describe('When, how and through whom to reach the person safely.'),
  })
  .meta({
    id: 'Contact',
    examples: [{ phones: ['+77010000000'], languages: ['kk'], instructions: 'After 18:00, ask for her sister.' }],
  })

/** Where the person lives and works. People are fined for it. */
export const Whereabouts = z
  .strictObject({
    addresses: z
      .array(
        z.strictObject({
          kind: z.enum(['residence', 'registration', 'temporary']),
          regionCode: RegionCode.optional(),
          text: text(500),
          since: Day.optional(),
        }),
      )
      .max(10)
      .optional(),
    workplaces: z
      .array(z.strictObject({ text: text(500), since: Day.optional() }))
      .max(10)
      .optional(),
  })
  .meta({
    id: 'Whereabouts',
    examples: [{ addresses: [{ kind: 'residence', regionCode: 'KZ-75', text: 'ул. Примерная 1' }] }],
  })

/** The facts that could harm the person most. */
export const Protection = z
  .strictObject({
    causes: z.array(Code).max(20).optional().describe('Sensitive codes of the list `cause`.'),
    health: text(4000).optional(),
    disability: text(4000).optional(),
    trafficking: text(4000).optional(),
    violence: text(4000).optional(),
    detention: text(4000).optional(),
    mustNotBeKnownTo: z.array(Country).max(50).optional().describe('States that must not learn of the person.'),
    remarks: text(4000).optional(),
  })
  .meta({ id: 'Protection', examples: [{ causes: ['trafficking_or_exploitation'], mustNotBeKnownTo: ['UZB'] }] })

/** The contract of each zone's document. */
export const documents = {
  identity: Identity,
  contact: Contact,
  whereabouts: Whereabouts,
  protection: Protection,
} as const satisfies Record<Zone, z.ZodType>

export type Content<Z extends Zone = Zone> = z.output<(typeof documents)[Z]>

const titled = (zone: Zone) => zone.charAt(0).toUpperCase() + zone.slice(1)

/** What a correction changed in a grant of the case. */
export const Effect = z
  .object({
    grantId: Id,
    effect: z
      .enum(['shortened', 'ended', 'suspended', 'resumed', 'renewal_needed'])
      .describe('`renewal_needed`: your own legal basis goes on, and you have a task to renew it.'),
    validUntil: Instant.nullable(),
  })
  .meta({ id: 'Effect' })
export type Effect = z.infer<typeof Effect>

const writtenBy = Colleague.nullable().describe('Null for other organisations.')

const current = (zone: Zone) =>
  z
    .object({
      version: z.int().min(0).describe('0 if nothing was written yet.'),
      writtenAt: Instant.nullable(),
      writtenBy,
      content: documents[zone].nullable().describe('Null if nothing was written, or if it was erased.'),
      notices: Notices.describe('Pointers are within the content.'),
      effects: z
        .array(Effect)
        .optional()
        .describe('Only in the reply to a correction: what it changed in the grants of the case.'),
    })
    .meta({ id: `Current${titled(zone)}` })

const versions = (zone: Zone) =>
  z
    .object({
      items: z.array(
        z.object({ version: Version, writtenAt: Instant, writtenBy, content: documents[zone].nullable() }),
      ),
    })
    .meta({ id: `${titled(zone)}Versions` })

/** The contracts of a zone's own resource. */
export const zoneContracts = Object.fromEntries(
  Zone.options.map(zone => [
    zone,
    { title: titled(zone), content: documents[zone], current: current(zone), versions: versions(zone) },
  ]),
) as unknown as Record<
  Zone,
  {
    title: string
    content: z.ZodType<Content>
    current: z.ZodType<CurrentZone>
    versions: z.ZodType<{ items: WrittenZone[] }>
  }
>

export type WrittenZone = { version: number; writtenAt: string; writtenBy: Colleague | null; content: Content | null }
export type CurrentZone = {
  version: number
  writtenAt: string | null
  writtenBy: Colleague | null
  content: Content | null
  notices: Notice[]
  effects?: Effect[] | undefined
}

/** The newest document of each zone open to the caller, with its version. */
export const Person = z
  .object({
    identity: Identity.extend({ version: Version }).meta({ id: 'IdentityVersion' }),
    contact: Contact.extend({ version: Version }).meta({ id: 'ContactVersion' }),
    whereabouts: Whereabouts.extend({ version: Version }).meta({ id: 'WhereaboutsVersion' }),
    protection: Protection.extend({ version: Version }).meta({ id: 'ProtectionVersion' }),
  })
  .partial()
  .meta({ id: 'Person' })
export type Person = z.infer<typeof Person>
