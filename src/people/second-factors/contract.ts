import { z } from 'zod'
import { Role } from '../../platform/access/permissions.ts'

/** A code of the authenticator app, or a recovery code. */
export const Otp = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^(\d{6}|[A-Z2-7]{4}(-[A-Z2-7]{4}){3})$/, 'Expected a code of 6 digits, or a recovery code')

/** What somebody shows to change the second factor of their own account. */
export const OwnProof = z
  .strictObject({
    password: z.string().min(1).max(200),
    otp: Otp.optional().describe('Needed if a second factor is in use, or to be confirmed.'),
  })
  .meta({ id: 'OwnProof', examples: [{ password: 'the one of today', otp: '123456' }] })
export type OwnProof = z.output<typeof OwnProof>

export const SecondFactor = z
  .object({ secret: z.string().describe('In base32. Shown only once.'), uri: z.string() })
  .meta({ id: 'SecondFactor' })

export const RecoveryCodes = z
  .object({ recoveryCodes: z.array(z.string()).describe('Each replaces one code, once. Shown only once.') })
  .meta({ id: 'RecoveryCodes' })

export const SecondFactorRule = z
  .strictObject({ required: z.array(Role).max(3).describe('Roles that must have a second factor.') })
  .meta({ id: 'SecondFactorRule', examples: [{ required: ['supervisor'] }] })
export type SecondFactorRule = z.output<typeof SecondFactorRule>
