import { z } from 'zod'
import { OrganisationKind } from '../../platform/access/permissions.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { anyOf, Day, Id, line, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const Name = line(200)
const ShortName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'Expected lower-case letters, digits and hyphens, for example open-door')
const Regions = z
  .array(z.string().max(10))
  .max(50)
  .refine(regions => new Set(regions).size === regions.length, 'Expected each region once')

const Status = z
  .enum(['active', 'closing', 'closed'])
  .describe('`closing`: it takes nothing new, and hands over what it has.')

export const Organisation = z
  .object({
    id: Id,
    kind: OrganisationKind,
    name: Name,
    shortName: z.string(),
    parentId: Id.nullable().describe('The committee above a division.'),
    regions: Regions.describe('The regions that a division works for.'),
    status: Status,
    closingUntil: Day.nullable().describe('The last day of its closing.'),
    custodian: z.boolean().describe('Whether it gets the cases that an organisation leaves when it closes.'),
    version: Version,
  })
  .meta({ id: 'Organisation' })
export type Organisation = z.infer<typeof Organisation>

/** An organisation as other resources name it. */
export const Party = z.object({ id: Id, name: z.string(), kind: OrganisationKind }).meta({ id: 'Party' })

export const NewOrganisation = z
  .strictObject({
    kind: OrganisationKind,
    name: Name,
    shortName: ShortName,
    parentId: Id.nullable().default(null),
    regions: Regions.default([]),
    first: z
      .strictObject({ email: z.email().max(200).toLowerCase(), name: Name })
      .describe('The person who gets the first account: a supervisor, or an auditor in an oversight body.'),
  })
  .refine(({ kind, parentId }) => (kind === 'division') === (parentId !== null), {
    path: ['parentId'],
    message: 'Expected the committee of a division, and null for any other organisation',
  })
  .meta({
    id: 'NewOrganisation',
    examples: [
      {
        kind: 'ngo',
        name: 'Open Door',
        shortName: 'open-door',
        first: { email: 'head@open-door.example', name: 'Dana Serik' },
      },
    ],
  })
export type NewOrganisation = z.output<typeof NewOrganisation>

export const FoundedOrganisation = Organisation.extend({
  enrolmentCode: z.string().nullable().describe('For the first account. Shown only once.'),
}).meta({ id: 'FoundedOrganisation', extends: 'Organisation' })
export type FoundedOrganisation = z.infer<typeof FoundedOrganisation>

export const OrganisationChange = z
  .strictObject({
    name: Name.optional(),
    regions: Regions.optional(),
    status: Status.optional(),
    custodian: z.literal(true).optional().describe('Names it as the custodian, in place of another one.'),
  })
  .meta({ id: 'OrganisationChange', examples: [{ name: 'Open Door Almaty' }] })
export type OrganisationChange = z.output<typeof OrganisationChange>

export const OrganisationQuery = PageQuery.extend({ kind: anyOf(OrganisationKind), region: anyOf(z.string()) })
export type OrganisationQuery = z.output<typeof OrganisationQuery>
export const OrganisationPage = pageContract('OrganisationPage', Organisation)
