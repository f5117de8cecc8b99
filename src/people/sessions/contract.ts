import { z } from 'zod'
import { OrganisationKind, Role } from '../../platform/access/permissions.ts'
import { Id } from '../../platform/http/contract.ts'
import { Otp } from '../second-factors/contract.ts'
import { NewPassword } from './password.ts'

const demonstration = { email: 'aliya@committee.example', password: 'the password of the demonstration' }

export const Credentials = z
  .strictObject({
    email: z.email().max(200).toLowerCase(),
    password: z.string().min(1).max(200),
    otp: Otp.optional().describe('A code of your second factor, or a recovery code.'),
  })
  .meta({ id: 'Credentials', examples: [demonstration] })
export type Credentials = z.output<typeof Credentials>

export const Session = z
  .object({
    accessToken: z.string().describe('Send it as `Authorization: Bearer …`.'),
    expiresIn: z.int().describe('Lifetime of the access token in seconds.'),
    refreshToken: z.string().describe('Can be used once, for the next pair of tokens.'),
    account: z.object({ id: Id }),
  })
  .meta({ id: 'Session' })
export type Session = z.infer<typeof Session>

export const Refresh = z
  .strictObject({ refreshToken: z.string().regex(/^[\w-]{43}$/, 'Expected the refreshToken of a session') })
  .meta({ id: 'Refresh', examples: [{ refreshToken: 'kX1wz0nq0Lh3vU2mJt6bY7cR9dS4eF5gA8hI0jK2lM4' }] })

export const Enrolment = z
  .strictObject({
    code: z.string().regex(/^[\w-]{16}$/, 'Expected an enrolment code of 16 characters'),
    password: NewPassword,
  })
  .meta({ id: 'Enrolment', examples: [{ code: 'mQ3x9sT0bV5nL2aZ', password: 'four words of your own' }] })
export type Enrolment = z.output<typeof Enrolment>

export const PasswordChange = z
  .strictObject({ current: z.string().min(1).max(200), next: NewPassword })
  .meta({ id: 'PasswordChange', examples: [{ current: 'the one of today', next: 'four other words of mine' }] })
export type PasswordChange = z.output<typeof PasswordChange>

export const Me = z
  .object({
    id: Id,
    email: z.string(),
    name: z.string(),
    organisation: z.object({ id: Id, name: z.string(), kind: OrganisationKind }),
    roles: z.array(Role),
    permissions: z.array(z.string()),
    secondFactor: z.object({
      active: z.boolean(),
      required: z.boolean(),
      recoveryCodes: z.int().describe('How many are left.'),
    }),
  })
  .meta({ id: 'Me' })
export type Me = z.infer<typeof Me>
