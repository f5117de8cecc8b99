import { randomBytes } from 'node:crypto'
import { Secret, TOTP } from 'otpauth'
import type { Keys } from '../../platform/access/keys.ts'
import { Unreadable } from '../../platform/db/sealed.ts'
import { Problem } from '../../problem.ts'

/** RFC 6238 as every authenticator app knows it; codes of the step before and after this one count too. */
const totp = { issuer: 'Qujat', algorithm: 'SHA1', digits: 6, period: 30 }
const window = 1

/** What the database uses up: the time step of a code and the sealed secret that it was checked against, or a recovery code. */
export type Proof = { secret: Buffer | null; step: number | null; recovery: Buffer | null }
export const noProof: Proof = { secret: null, step: null, recovery: null }

/** An account, its sealed secret, and the instant (ms) for which a code is checked. */
export type Factor = { account: string; secret: Buffer; instant: number }

/** Returns a new secret of 160 bits, in base32. */
export const newOtpSecret = (): string => new Secret({ size: 20 }).base32

/** Seals a secret so that it opens for this account only. */
export const sealOtpSecret = ({ sealSecret }: Keys, account: string, secret: string): Buffer =>
  sealSecret(placeOf(account), Secret.fromBase32(secret).bytes)

const placeOf = (account: string) => `second_factors.secret/${account}`

/** Makes a secret, with the URI that an authenticator app reads. */
export function newFactor(keys: Keys, account: string, email: string) {
  const secret = newOtpSecret()
  const uri = new TOTP({ ...totp, label: email, secret }).toString()
  return { sealed: sealOtpSecret(keys, account, secret), shown: { secret, uri } }
}

function opened({ openSecret }: Keys, account: string, sealed: Buffer): Secret {
  const place = placeOf(account)
  try {
    return new Secret({ buffer: new Uint8Array(openSecret(place, sealed)).buffer })
  } catch {
    throw new Problem('unreadable', { cause: new Unreadable(place) })
  }
}

/** Returns what proves that the caller has the second factor: a code of six digits, or a recovery code. */
export function proofOf(keys: Keys, { account, secret, instant: timestamp }: Factor, otp: string): Proof {
  if (otp.length > totp.digits) return { ...noProof, recovery: hashOfCode(keys, account, otp) }
  const delta = TOTP.validate({ ...totp, token: otp, secret: opened(keys, account, secret), timestamp, window })
  if (delta === null) throw new Problem('wrong-second-factor')
  return { ...noProof, secret, step: TOTP.counter({ ...totp, timestamp }) + delta }
}

const howMany = 8
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Makes the recovery codes of an account, of 80 random bits each, and their hashes. */
export function newCodes(keys: Keys, account: string) {
  const codes = Array.from({ length: howMany }, () => {
    const letters = [...randomBytes(16)].map(byte => alphabet[byte % alphabet.length]).join('')
    return letters.replace(/.{4}(?=.)/g, '$&-')
  })
  return { codes, hashes: codes.map(code => hashOfCode(keys, account, code)) }
}

const hashOfCode = ({ hash }: Keys, account: string, code: string) => hash('recovery-code', `${account} ${code}`)
