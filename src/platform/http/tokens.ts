import { createHash, randomUUID } from 'node:crypto'
import jwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { unauthorized } from '../../problem.ts'
import type { Clock } from '../access/clock.ts'
import type { Keys } from '../access/keys.ts'

const issuer = 'qujat'
/** Seconds for which an access token is valid. */
const lifetime = 600
/** Characters of the longest token that is read. */
const longest = 1_024
/** Seconds by which two processes may differ in what they read from the database's clock. */
const skew = 5
/** How many verified tokens are cached. */
const remembered = 10_000

const Header = z.strictObject({ alg: z.literal('EdDSA'), typ: z.literal('at+jwt'), kid: z.string() })
const Claims = z.strictObject({
  iss: z.literal(issuer),
  aud: z.literal(issuer),
  sub: z.uuid(),
  sid: z.uuid(),
  jti: z.uuid(),
  iat: z.int(),
  exp: z.int(),
})
/** The account and the session of a token; every request checks in the database that both are still active. */
export type Claims = Pick<z.infer<typeof Claims>, 'sub' | 'sid' | 'exp'>

export type AccessToken = { accessToken: string; expiresIn: number }

declare module 'fastify' {
  interface FastifyInstance {
    tokens: { issue(account: string, session: string): AccessToken; verify(token: string): Claims }
  }
}

/**
 * Issues and verifies access tokens: one algorithm, known keys, exactly the claims listed above. Their times are those of
 * the database's clock.
 */
export async function tokens(app: FastifyInstance, { signing }: Pick<Keys, 'signing'>, clock: Clock) {
  const [current] = signing
  if (!current) throw new Error('no signing key')
  await app.register(jwt, {
    secret: { private: current.privateKey, public: current.publicKey },
    sign: { algorithm: 'EdDSA' },
    verify: {
      ignoreExpiration: true, // by the clock of this process; verifyUncached() compares with that of the database
      algorithms: ['EdDSA'],
      allowedIss: issuer,
      allowedAud: issuer,
      requiredClaims: Object.keys(Claims.shape),
    },
  })
  const publicKeys = new Map(signing.map(({ kid, publicKey }) => [kid, publicKey]))
  const known = new Map<string, Claims>()

  const verifyUncached = (token: string, now: number): Claims => {
    const [header, payload] = token.split('.').map(decode)
    const signature = token.slice(token.lastIndexOf('.') + 1)
    if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) throw unauthorized() // another encoding of the same bytes
    const { kid } = Header.parse(exactly(header))
    const key = publicKeys.get(kid)
    if (!key) throw unauthorized()
    app.jwt.verify(token, { key })
    const claims = Claims.parse(exactly(payload))
    if (claims.exp <= now || claims.iat > now + skew || claims.exp - claims.iat > lifetime) throw unauthorized()
    return claims
  }

  app.decorate('tokens', {
    issue(account, session) {
      const iat = Math.floor(clock.now() / 1000)
      const claims = {
        iss: issuer,
        aud: issuer,
        sub: account,
        sid: session,
        jti: randomUUID(),
        iat,
        exp: iat + lifetime,
      }
      const header = { alg: 'EdDSA', typ: 'at+jwt', kid: current.kid } as const
      return { accessToken: app.jwt.sign(claims, { header }), expiresIn: lifetime }
    },
    verify(token) {
      if (token.length > longest) throw unauthorized()
      const now = Math.floor(clock.now() / 1000)
      const hash = createHash('sha256').update(token).digest('base64')
      const before = known.get(hash)
      if (before && before.exp > now) return before
      known.delete(hash)
      try {
        const claims = verifyUncached(token, now)
        if (known.size >= remembered) known.delete(known.keys().next().value as string)
        known.set(hash, claims)
        return claims
      } catch {
        throw unauthorized()
      }
    },
  })
}

const decode = (part: string) => Buffer.from(part, 'base64url').toString('utf8')

/** Parses JSON that must be exactly as this service writes it: refuses a repeated claim or another spelling. */
function exactly(text: string | undefined): unknown {
  const value = JSON.parse(text ?? '')
  if (JSON.stringify(value) !== text) throw unauthorized()
  return value
}
