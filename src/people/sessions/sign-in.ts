import type { FastifyRequest } from 'fastify'
import type { Keys } from '../../platform/access/keys.ts'
import { Problem } from '../../problem.ts'
import { noProof, type Proof, proofOf } from '../second-factors/policy.ts'
import type { Credentials, Enrolment, PasswordChange, Session } from './contract.ts'
import { countGuess, forgetGuess, type Guess, guessOf, takeBackGuess } from './guesses.ts'
import { hashPassword, requireStrong, verifyPassword } from './password.ts'
import * as sessions from './queries.ts'

// The one exception to "one transaction per request": hashing a password is slow, so it runs between two transactions. The
// second one checks again what the first one has read.

/** Checks password and code and returns tokens. Counts each attempt before it checks them. */
export async function signIn(
  request: FastifyRequest,
  keys: Keys,
  { email, password, otp }: Credentials,
): Promise<Session> {
  const guess = guessOf(request, keys, email)
  const found = await request.aside(async tx => {
    await countGuess(tx, guess)
    return sessions.credentials(tx, email)
  })
  request.entry?.note({ subject: found?.account })
  const verified = await verifyPassword(password, found?.password_hash, isGone(request))
  if (!verified || !found?.password_hash) throw new Problem('wrong-credentials')
  const { account, password_hash } = found
  const proof = await checkOtp(request, keys, guess, found, otp)
  const { secret, hash: refreshHash } = sessions.newSecret()
  const session = await request.transact(async tx => {
    await forgetGuess(tx, guess)
    return sessions.start(tx, account, password_hash, refreshHash, proof)
  })
  return tokensFor(request, account, session, secret)
}

type Asked = { account: string; secret: Buffer | null; instant: number }

/**
 * Checks the code of a caller whose password is right. Without a code, this attempt is no guess: every client asks so first,
 * and only this one attempt is taken back, so that nobody can reset the count between two guesses of a code.
 */
export async function checkOtp(
  request: FastifyRequest,
  keys: Keys,
  guess: Guess,
  { account, secret, instant }: Asked,
  otp: string | undefined,
): Promise<Proof> {
  if (!secret) return noProof
  if (otp !== undefined) return proofOf(keys, { account, secret, instant }, otp)
  await request.aside(tx => takeBackGuess(tx, guess))
  throw new Problem('second-factor-required')
}

/**
 * Returns the next pair of tokens. The next refresh token is derived from this one, so that a client whose reply was lost,
 * or two that refresh at once, get the same one again; anybody else who uses it a second time ends the session.
 */
export async function refresh(request: FastifyRequest, { hash }: Keys, token: string): Promise<Session> {
  const next = hash('refresh', token).toString('base64url')
  const found = await request.transact(async tx => {
    const [of, to] = [sessions.hashOf(token), sessions.hashOf(next)]
    const { account, session, reused } = await sessions.refresh(tx, of, to, hash('address', request.ip))
    request.entry?.note({ subject: account, ...(reused && { reason: 'token-reused' }) })
    if (account && session) return { account, session }
    return new Problem('unauthorized') // not thrown here: a rollback would undo the end of the session
  })
  if (found instanceof Problem) throw found
  return tokensFor(request, found.account, found.session, next)
}

/** Sets the first password by an enrolment code. Attempts are counted as for passwords. */
export async function enrol(request: FastifyRequest, keys: Keys, { code, password }: Enrolment): Promise<null> {
  const guess = guessOf(request, keys, code)
  await request.aside(async tx => {
    await countGuess(tx, guess)
    await sessions.requireCode(tx, code)
  })
  await requireStrong(password, '#/password')
  const passwordHash = await hashPassword(password, isGone(request))
  await request.transact(async tx => {
    await sessions.enrol(tx, code, passwordHash)
    await forgetGuess(tx, guess)
  })
  return null
}

export async function changePassword(
  request: FastifyRequest,
  keys: Keys,
  { current, next }: PasswordChange,
): Promise<null> {
  const guess = guessOf(request, keys, request.claims?.sub ?? '')
  const stored = await request.aside(async tx => {
    await countGuess(tx, guess)
    return sessions.ownPassword(tx)
  })
  if (!(await verifyPassword(current, stored, isGone(request))) || !stored) throw new Problem('wrong-credentials')
  await requireStrong(next, '#/next')
  const passwordHash = await hashPassword(next, isGone(request))
  await request.transact(async tx => {
    await sessions.changePassword(tx, stored, passwordHash)
    await forgetGuess(tx, guess)
  })
  return null
}

/** Whether the client is gone: nobody waits for the hash of its password. */
export const isGone = (request: FastifyRequest) => () => request.raw.socket.destroyed

const tokensFor = (request: FastifyRequest, account: string, session: string, refreshToken: string): Session => ({
  ...request.server.tokens.issue(account, session),
  refreshToken,
  account: { id: account },
})
