import { z } from 'zod'

export const OrganisationKind = z
  .enum(['iom', 'committee', 'division', 'ngo', 'oversight', 'operator'])
  .meta({ id: 'OrganisationKind' })
export type OrganisationKind = z.infer<typeof OrganisationKind>

export const Role = z
  .enum(['caseworker', 'officer', 'supervisor', 'coordinator', 'auditor', 'administrator'])
  .meta({ id: 'Role' })
export type Role = z.infer<typeof Role>

/** The kinds of organisation in which a role exists; a check in the database has the same table. */
export const kindsOf: Record<Role, readonly OrganisationKind[]> = {
  caseworker: ['ngo', 'iom'],
  officer: ['division', 'committee'],
  supervisor: ['ngo', 'iom', 'division', 'committee'],
  coordinator: ['iom'],
  auditor: ['oversight'],
  administrator: ['operator'],
}

/** A role in a kind of organisation. Permissions belong to offices: a committee's supervisor may do more than an NGO's. */
export type Office = `${Role}@${OrganisationKind}`

export const offices = Role.options.flatMap(role => kindsOf[role].map((kind): Office => `${role}@${kind}`))

const casework = ['caseworker@ngo', 'caseworker@iom', 'supervisor@ngo', 'supervisor@iom'] as const
const authority = ['officer@division', 'officer@committee', 'supervisor@division', 'supervisor@committee'] as const
const supervisors = ['supervisor@ngo', 'supervisor@iom', 'supervisor@division', 'supervisor@committee'] as const
const organisers = ['supervisor@committee', 'supervisor@iom', 'coordinator@iom'] as const

/** The offices that have each permission. Row level security decides which rows they see. */
export const permissions = {
  'self:manage': offices,
  'organisations:read': offices,
  'colleagues:read': offices,
  'organisations:write': ['administrator@operator'],
  'accounts:manage': [...supervisors, 'auditor@oversight', 'administrator@operator'],
  'reference:read': offices,
  'campaigns:read': offices,
  'campaigns:write': organisers,
  'cases:read': [...casework, ...authority],
  'cases:register': [...casework, ...authority],
  'cases:write': [...casework, ...authority],
  'cases:assign': supervisors,
  'grants:give': [...casework, ...authority],
  'referrals:offer': [...casework, ...authority],
  'referrals:decide': [...casework, ...authority],
  'proposals:settle': supervisors,
  'notes:write': [...casework, ...authority],
  'tasks:write': [...casework, ...authority],
  'flags:write': [...casework, ...authority],
  'erasures:request': [...casework, ...authority],
  'erasures:approve': supervisors,
  'confirmations:give': ['supervisor@iom', 'supervisor@committee'],
  'retention:run': ['administrator@operator'],
  'imports:create': authority,
  'jobs:read': authority,
  'jobs:cancel': authority,
  'reports:read': [...casework, ...authority, 'coordinator@iom', 'auditor@oversight'],
  'audit:read': ['auditor@oversight'],
} as const satisfies Record<string, readonly Office[]>

export type Permission = keyof typeof permissions

export const officesOf = (roles: readonly Role[], kind: OrganisationKind) =>
  roles.map((role): Office => `${role}@${kind}`)

export const allows = (office: Office, permission: Permission) =>
  (permissions[permission] as readonly Office[]).includes(office)

export const permissionsOf = (held: readonly Office[]) =>
  (Object.keys(permissions) as Permission[]).filter(permission => held.some(office => allows(office, permission)))
