import type { FastifyRequest } from 'fastify'
import type { Keys } from '../../platform/access/keys.ts'
import { Problem } from '../../problem.ts'
import type { Credentials, Enrolment, PasswordChange, Session } from './contract.ts'
import { hashPassword, verifyPassword } from './password.ts'
import * as sessions from './queries.ts'

// The one exception to "one transaction per request": hashing a password is slow, so it runs between two transactions.

/** Checks the password and returns tokens. Counts each attempt before it checks the password. */
export async function signIn(
  request: FastifyRequest,
  { hash }: Keys,
  { email, password }: Credentials,
): Promise<Session> {
  const guess = { account: hash('guess', email), address: hash('guess', request.ip) }
  const found = await request.aside(async tx => {
    await sessions.countGuess(tx, guess)
    return sessions.credentials(tx, email)
  })
  request.entry?.note({ subject: found?.account })
  if (!(await verifyPassword(password, found?.password_hash)) || !found) throw new Problem('wrong-credentials')
  const { secret, hash: refreshHash } = sessions.newSecret()
  const session = await request.transact(async tx => {
    await sessions.forgetGuess(tx, guess)
    return sessions.start(tx, found.account, refreshHash)
  })
  return tokensFor(request, found.account, session, secret)
}

/** Returns the next pair of tokens. A refresh token that is used a second time ends its session. */
export async function refresh(request: FastifyRequest, token: string): Promise<Session> {
  const { secret, hash } = sessions.newSecret()
  const found = await request.transact(async tx => {
    const { account, session } = await sessions.refresh(tx, sessions.hashOf(token), hash)
    request.entry?.note({ subject: account })
    if (account && session) return { account, session }
    if (account) request.entry?.note({ reason: 'token-reused' })
    return new Problem('unauthorized') // not thrown here: a rollback would undo the end of the session
  })
  if (found instanceof Problem) throw found
  return tokensFor(request, found.account, found.session, secret)
}

/** Sets the first password by an enrolment code. Attempts are counted as for passwords. */
export async function enrol(request: FastifyRequest, { hash }: Keys, { code, password }: Enrolment): Promise<null> {
  const guess = { account: hash('guess', code), address: hash('guess', request.ip) }
  await request.aside(tx => sessions.countGuess(tx, guess))
  const passwordHash = await hashPassword(password)
  await request.transact(async tx => {
    await sessions.enrol(tx, code, passwordHash)
    await sessions.forgetGuess(tx, guess)
  })
  return null
}

export async function changePassword(
  request: FastifyRequest,
  { hash }: Keys,
  { current, next }: PasswordChange,
): Promise<null> {
  const guess = { account: hash('guess', request.claims?.sub ?? ''), address: hash('guess', request.ip) }
  const stored = await request.aside(async tx => {
    await sessions.countGuess(tx, guess)
    return sessions.ownPassword(tx)
  })
  if (!(await verifyPassword(current, stored))) throw new Problem('wrong-credentials')
  const passwordHash = await hashPassword(next)
  await request.transact(async tx => {
    await sessions.changePassword(tx, passwordHash)
    await sessions.forgetGuess(tx, guess)
  })
  return null
}

const tokensFor = (request: FastifyRequest, account: string, session: string, refreshToken: string): Session => ({
  ...request.server.tokens.issue(account, session),
  refreshToken,
  account: { id: account },
})
