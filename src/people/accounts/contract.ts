import { z } from 'zod'
import { OrganisationKind, Role } from '../../platform/access/permissions.ts'
import { PageQuery } from '../../platform/db/page.ts'
import { Id, Instant, line, Version } from '../../platform/http/contract.ts'
import { pageContract } from '../../platform/http/page.ts'

const Name = line(200)
const Roles = z.array(Role).min(1).max(3)

const Waiting = z
  .object({
    roles: Roles.nullable().describe('The roles that were asked for; null: an enrolment code.'),
    askedBy: Id,
    expiresAt: Instant,
    mayConfirm: z.boolean().describe('True if you can confirm it.'),
  })
  .meta({ id: 'Waiting' })

export const Account = z
  .object({
    id: Id,
    organisation: z.object({ id: Id, kind: OrganisationKind }),
    email: z.string(),
    name: z.string(),
    roles: Roles,
    status: z.enum(['invited', 'active', 'disabled']),
    waiting: Waiting.nullable().describe('What waits for a second person.'),
    version: Version,
  })
  .meta({ id: 'Account' })
export type Account = z.infer<typeof Account>

/** An account of the caller's own organisation, as other resources name it. */
export const Colleague = z.object({ id: Id, name: z.string() }).meta({ id: 'Colleague' })
export type Colleague = z.infer<typeof Colleague>

export const Colleagues = z
  .object({
    items: z.array(
      Colleague.extend({
        roles: Roles,
        active: z.boolean().describe('False before the enrolment, and when the account is disabled.'),
      }),
    ),
  })
  .meta({ id: 'Colleagues' })
export type Colleagues = z.infer<typeof Colleagues>

export const NewAccount = z
  .strictObject({
    email: z.email().max(200).toLowerCase(),
    name: Name,
    roles: Roles,
    organisationId: Id.optional().describe(
      'Default: your own organisation. A committee can name one of its divisions.',
    ),
  })
  .meta({
    id: 'NewAccount',
    examples: [{ email: 'laura@sunrise.example', name: 'Laura Omarova', roles: ['caseworker'] }],
  })
export type NewAccount = z.output<typeof NewAccount>

export const InvitedAccount = Account.extend({
  enrolmentCode: z
    .string()
    .nullable()
    .describe('To be handed to the person. Shown only once. If `waiting` is not null: valid when it is confirmed.'),
}).meta({ id: 'InvitedAccount', extends: 'Account' })
export type InvitedAccount = z.infer<typeof InvitedAccount>

export const AccountChange = z
  .strictObject({ name: Name.optional(), roles: Roles.optional(), status: z.enum(['active', 'disabled']).optional() })
  .meta({ id: 'AccountChange', examples: [{ status: 'disabled' }] })
export type AccountChange = z.output<typeof AccountChange>

export const EnrolmentCode = z
  .object({ enrolmentCode: z.string().describe('Shown only once. An earlier code is no longer valid.') })
  .meta({ id: 'EnrolmentCode' })

export const AccountQuery = PageQuery
export const AccountPage = pageContract('AccountPage', Account)
