// Requests of a person who signs in.
import { password, type Service } from '../support/service.ts'

type App = Service['app']

export const another = 'four other words of mine'
export const email = 'asel@sunrise.example'

export const post = (app: App, url: string, payload: object, token?: string) =>
  app.inject({ method: 'POST', url, payload, headers: token ? { authorization: `Bearer ${token}` } : {} })
export const signIn = (app: App, given: { email?: string; password?: string } = {}) =>
  post(app, '/v1/sessions', { email, password, ...given })
export const refresh = (app: App, refreshToken: string) => post(app, '/v1/sessions/refresh', { refreshToken })
export const me = async (app: App, token: string) =>
  (await app.inject({ url: '/v1/me', headers: { authorization: `Bearer ${token}` } })).statusCode
export const signOut = async (app: App, url: string, token: string) =>
  (await app.inject({ method: 'DELETE', url, headers: { authorization: `Bearer ${token}` } })).statusCode

/** Moves the clock of the database forward. */
export const later = ({ owner }: Service, by: string) =>
  owner.unsafe(`create or replace function app.now() returns timestamptz language sql stable
    return now() + interval '${by}'`)
