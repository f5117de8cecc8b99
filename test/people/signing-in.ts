// Requests of a person who signs in.
import { Secret, TOTP } from 'otpauth'
import { password, type Service, type Someone } from '../support/service.ts'

type App = Service['app']

export const another = 'four other words of mine'
export const email = 'asel@sunrise.example'

export const post = (app: App, url: string, payload: object, token?: string) =>
  app.inject({ method: 'POST', url, payload, headers: token ? { authorization: `Bearer ${token}` } : {} })
export const signIn = (app: App, given: { email?: string; password?: string; otp?: string | undefined } = {}) =>
  post(app, '/v1/sessions', { email, password, ...given })
export const refresh = (app: App, refreshToken: string) => post(app, '/v1/sessions/refresh', { refreshToken })
export const me = async (app: App, token: string) =>
  (await app.inject({ url: '/v1/me', headers: { authorization: `Bearer ${token}` } })).statusCode
export const signOut = async (app: App, url: string, token: string) =>
  (await app.inject({ method: 'DELETE', url, headers: { authorization: `Bearer ${token}` } })).statusCode

/** Stops the clock of the database at so many seconds after the beginning of the present time step of 30 seconds. */
export const stopAt = (owner: Service['owner'], seconds: number) =>
  owner.unsafe(`create or replace function app.now() returns timestamptz language sql stable
    return timestamptz '${new Date(startOfStep + seconds * 1_000).toISOString()}'`)
const startOfStep = Math.floor(Date.now() / 30_000) * 30_000
/** Returns the code of this secret, so many seconds after that beginning. */
export const codeAt = (secret: string, seconds: number) =>
  TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: startOfStep + seconds * 1_000 })

/** Gives an account a second factor at this second. */
export async function setUp(who: Someone, seconds = 0) {
  const { secret, uri } = (await who.post('/v1/me/second-factor', { password })).json()
  const otp = codeAt(secret, seconds)
  const confirmed = await who.post('/v1/me/second-factor/confirmation', { password, otp })
  if (confirmed.statusCode !== 201) throw new Error(`not confirmed: ${confirmed.body}`)
  return { secret, uri, otp, codes: confirmed.json().recoveryCodes as string[] }
}

/** Moves the clock of the database forward. */
export const later = ({ owner }: Service, by: string) =>
  owner.unsafe(`create or replace function app.now() returns timestamptz language sql stable
    return now() + interval '${by}'`)
