import { createHmac, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto'
import t, { type Test } from 'tap'
import { password, type Someone, startService } from '../../support/service.ts'

type Part = Record<string, unknown>
type Altered = { header?: Part; claims?: Part; text?: string; key?: string }

const encoded = (part: string | object) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
const now = () => Math.floor(Date.now() / 1000)

/** Starts the service on a free port; `token` makes unaltered and altered tokens, signed with the service's own key. */
async function listening(t: Test) {
  const service = await startService(t)
  const url = await service.app.listen({ port: 0, host: '127.0.0.1' })
  const [key] = service.keys.signing
  if (!key) throw new Error('no signing key')

  const claimsOf = (someone: Someone): Part => ({
    iss: 'qujat',
    aud: 'qujat',
    sub: someone.account,
    sid: someone.session,
    jti: randomUUID(),
    iat: now(),
    exp: now() + 600,
  })
  const unsigned = (someone: Someone, { header, claims, text }: Altered = {}) => {
    const payload = text ?? { ...claimsOf(someone), ...claims }
    return `${encoded({ alg: 'EdDSA', typ: 'at+jwt', kid: key.kid, ...header })}.${encoded(payload)}`
  }
  const token = (someone: Someone, altered: Altered = {}) => {
    const input = unsigned(someone, altered)
    return `${input}.${sign(null, Buffer.from(input), altered.key ?? key.privateKey).toString('base64url')}`
  }
  const ask = async (authorization?: string, path = '/v1/me') => {
    const response = await fetch(url + path, authorization === undefined ? {} : { headers: { authorization } })
    const type = response.headers.get('content-type') ?? ''
    const text = await response.text()
    return { status: response.status, type, body: type.includes('json') ? (JSON.parse(text) as Part) : {} }
  }
  const refused = async (t: Test, name: string, authorization?: string, status = 401, path?: string) => {
    const answer = await ask(authorization, path)
    t.equal(answer.status, status, name)
    t.match(answer.type, /^application\/problem\+json/, `${name}: as a problem`)
    t.match(answer.body, { type: status === 401 ? '/problems/unauthorized' : '/problems/forbidden', status })
  }
  return { ...service, key, claimsOf, unsigned, token, ask, refused }
}

type Listening = Awaited<ReturnType<typeof listening>>

const algorithms = ({ key, unsigned, token }: Listening, officer: Someone): Record<string, string> => {
  const hmac = (secret: string | Buffer) => {
    const input = unsigned(officer, { header: { alg: 'HS256' } })
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }
  const other = generateKeyPairSync('ed25519')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const rs256 = unsigned(officer, { header: { alg: 'RS256' } })
  return {
    'alg none without a signature': `${unsigned(officer, { header: { alg: 'none' } })}.`,
    'alg none with a signature': token(officer, { header: { alg: 'none' } }),
    'alg NONE with a signature': token(officer, { header: { alg: 'NONE' } }),
    'alg missing': token(officer, { header: { alg: undefined } }),
    'HS256 with the public key as its secret': hmac(key.publicKey),
    'HS256 with the trimmed public key as its secret': hmac(key.publicKey.trim()),
    'HS256 with a random secret': hmac(randomBytes(32)),
    'HS256 over the signature of ours': token(officer, { header: { alg: 'HS256' } }),
    'RS256 with a key of its own': `${rs256}.${sign('sha256', Buffer.from(rs256), rsa).toString('base64url')}`,
    'RS256 in the header alone': token(officer, { header: { alg: 'RS256' } }),
    'another Ed25519 key with our kid': token(officer, {
      key: other.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }),
    'another key that is in the header': token(officer, {
      header: { jwk: other.publicKey.export({ format: 'jwk' }) },
      key: other.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }),
  }
}

const headers = ({ token }: Listening, officer: Someone): Record<string, string> => ({
  'typ missing': token(officer, { header: { typ: undefined } }),
  'typ JWT': token(officer, { header: { typ: 'JWT' } }),
  'kid unknown': token(officer, { header: { kid: 'ffffffffffff' } }),
  'kid missing': token(officer, { header: { kid: undefined } }),
  'kid a number': token(officer, { header: { kid: 1 } }),
  'kid a path': token(officer, { header: { kid: '../../../../dev/null' } }),
  'kid of the prototype': token(officer, { header: { kid: '__proto__' } }),
  'an unknown crit': token(officer, { header: { crit: ['b64'], b64: false } }),
})

const claims = ({ token, claimsOf }: Listening, officer: Someone): Record<string, string> => {
  const whole = JSON.stringify(claimsOf(officer))
  const missing = ['iss', 'aud', 'exp', 'sub', 'sid', 'iat', 'jti'].map(name => [
    `${name} missing`,
    token(officer, { claims: { [name]: undefined } }),
  ])
  return {
    ...Object.fromEntries(missing),
    'iss of another': token(officer, { claims: { iss: 'https://example.org' } }),
    'aud of another': token(officer, { claims: { aud: 'other' } }),
    'aud a list': token(officer, { claims: { aud: ['qujat'] } }),
    'aud a list of more': token(officer, { claims: { aud: ['qujat', 'other'] } }),
    expired: token(officer, { claims: { iat: now() - 601, exp: now() - 1 } }),
    'expiring now': token(officer, { claims: { iat: now() - 600, exp: now() } }),
    'exp later than 600 s after iat': token(officer, { claims: { exp: now() + 700 } }),
    'exp a text': token(officer, { claims: { exp: String(now() + 600) } }),
    'exp a fraction': token(officer, { claims: { exp: now() + 599.5 } }),
    'exp without end': token(officer, { text: whole.replace(/"exp":\d+/, '"exp":1e999') }),
    'iat in the future': token(officer, { claims: { iat: now() + 60, exp: now() + 600 } }),
    'iat negative': token(officer, { claims: { iat: -1 } }),
    'sub not a uuid': token(officer, { claims: { sub: 'admin' } }),
    'sid not a uuid': token(officer, { claims: { sid: `' or true --` } }),
    'sid null': token(officer, { claims: { sid: null } }),
    'sid of no session': token(officer, { claims: { sid: randomUUID() } }),
    'a surplus claim': token(officer, { claims: { roles: ['administrator'] } }),
    'a claim twice': token(officer, { text: whole.replace('{', `{"sid":"${randomUUID()}",`) }),
    'exp twice': token(officer, { text: whole.replace('}', `,"exp":${now() + 500}}`) }),
    'white space in the payload': token(officer, { text: JSON.stringify(claimsOf(officer), null, 1) }),
    'a line break after the payload': token(officer, { text: `${whole}\n` }),
    'a payload that is a list': token(officer, { text: '[]' }),
    'a payload that is null': token(officer, { text: 'null' }),
    'a payload that is not JSON': token(officer, { text: '{' }),
    'longer than 1 kB': token(officer, { claims: { jti: 'x'.repeat(1_100) } }),
  }
}

const forms = ({ token, claimsOf }: Listening, officer: Someone, other: Someone): Record<string, string> => {
  const good = token(officer)
  const [header = '', payload = '', signature = ''] = good.split('.')
  const flipped = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`
  return {
    'payload of another': `${header}.${encoded(claimsOf(other))}.${signature}`,
    'signature altered': `${header}.${payload}.${flipped}`,
    'signature cut': good.slice(0, -4),
    'signature empty': `${header}.${payload}.`,
    'signature missing': `${header}.${payload}`,
    'a fourth part': `${good}.${signature}`,
    'padding after the signature': `${good}==`,
    'a refresh token': randomBytes(32).toString('base64url'),
    garbage: 'garbage',
    'three parts of garbage': 'a.b.c',
    'two tokens': `${good} ${good}`,
    'two headers': `${good}, Bearer ${good}`,
  }
}

t.test('only a token that the service issued is accepted', async t => {
  const service = await listening(t)
  const { ask, refused, token } = service
  const officer = await service.as('officer', 'almaty-city')
  const other = await service.as('officer', 'turkistan')
  t.match(await ask(`Bearer ${officer.accessToken}`), { status: 200, body: { id: officer.account } }, 'as issued')
  t.match(await ask(`Bearer ${token(officer)}`), { status: 200, body: { id: officer.account } }, 'as crafted here')

  const crafted = {
    ...algorithms(service, officer),
    ...headers(service, officer),
    ...claims(service, officer),
    ...forms(service, officer, other),
  }
  t.ok(Object.keys(crafted).length >= 25)
  for (const [name, text] of Object.entries(crafted)) await refused(t, name, `Bearer ${text}`)
  for (const [name, header] of [
    ['no header', undefined],
    ['Bearer alone', 'Bearer'],
    ['no scheme', token(officer)],
    ['another scheme', `Basic ${token(officer)}`],
    ['two spaces', `Bearer  ${token(officer)}`],
  ] as const)
    await refused(t, name, header)

  const huge = await ask(`Bearer ${'x'.repeat(20_000)}.x.x`)
  t.ok([401, 431].includes(huge.status), 'a header of 20 kB')
  t.equal((await ask(`Bearer ${officer.accessToken}`)).status, 200, 'the service still answers')
  t.notOk(
    service.lines.some(line => JSON.parse(line).level >= 50),
    'none of these is logged as an internal error',
  )
})

t.test('a valid refresh token is not an access token', async t => {
  const { app, owner, refused } = await listening(t)
  const [{ email } = { email: '' }] = await owner<{ email: string }[]>`select email from accounts limit 1`
  const signedIn = await app.inject({ method: 'POST', url: '/v1/sessions', payload: { email, password } })
  t.equal(signedIn.statusCode, 201)
  await refused(t, 'the refresh token', `Bearer ${signedIn.json().refreshToken}`)
})

t.test('the session determines the caller, whatever account the token names', async t => {
  const { as, ask, token } = await listening(t)
  const officer = await as('officer', 'almaty-city')
  const supervisor = await as('supervisor', 'turkistan')
  const mixed = `Bearer ${token(officer, { claims: { sub: supervisor.account } })}`
  const { status, body } = await ask(mixed)
  t.equal(status, 200)
  t.equal(body.id, officer.account)
  t.equal((await ask(mixed, '/v1/accounts')).status, 403, 'the caller has the rights of the session')
})

t.test('a token is invalid after its session, account or organisation has ended', async t => {
  const { as, ask, refused, owner } = await listening(t)
  const ends: [name: string, who: Someone, end: (who: Someone) => Promise<unknown>][] = [
    [
      'a revoked session',
      await as('officer', 'almaty-city'),
      ({ session }) => owner`update sessions set revoked_at = now() where id = ${session}`,
    ],
    [
      'a session past its end',
      await as('officer', 'almaty-city', 1),
      ({ session }) => owner`update sessions set ends_at = now() where id = ${session}`,
    ],
    [
      'a disabled account',
      await as('officer', 'turkistan'),
      ({ account }) => owner`update accounts set status = 'disabled' where id = ${account}`,
    ],
    [
      'a closed organisation',
      await as('caseworker', 'sunrise'),
      async ({ organisation }) => {
        for (const status of ['closing', 'closed'])
          await owner`update organisations set status = ${status} where id = ${organisation.id}`
      },
    ],
  ]
  for (const [name, who, end] of ends) {
    t.equal((await ask(`Bearer ${who.accessToken}`)).status, 200, `before: ${name}`)
    await end(who)
    await refused(t, name, `Bearer ${who.accessToken}`)
  }
})

t.test('a removed role is refused at the next request', async t => {
  const { as, ask, refused } = await listening(t)
  const supervisor = await as('supervisor', 'almaty-city')
  const colleague = await as('supervisor', 'almaty-city', 1)
  t.equal((await ask(`Bearer ${supervisor.accessToken}`, '/v1/accounts')).status, 200)
  const { etag } = (await colleague.get(`/v1/accounts/${supervisor.account}`)).headers
  const change = { roles: ['officer'] }
  const changed = await colleague.patch(`/v1/accounts/${supervisor.account}`, change, { 'if-match': String(etag) })
  t.equal(changed.statusCode, 200)
  await refused(t, 'the former supervisor', `Bearer ${supervisor.accessToken}`, 403, '/v1/accounts')
  t.match(await ask(`Bearer ${supervisor.accessToken}`), { status: 200, body: { roles: ['officer'] } })
})
