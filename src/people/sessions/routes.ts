import type { Keys } from '../../platform/access/keys.ts'
import { Nothing, type Routes } from '../../platform/http/contract.ts'
import { Credentials, Enrolment, Me, PasswordChange, Refresh, Session } from './contract.ts'
import * as sessions from './queries.ts'
import { changePassword, enrol, refresh, signIn } from './sign-in.ts'

const tags = ['Signing in']

export const sessionRoutes =
  (keys: Keys): Routes =>
  async app => {
    app.post(
      '/v1/sessions',
      {
        config: { permission: 'public', audit: {}, problems: ['wrong-credentials'] },
        schema: {
          operationId: 'signIn',
          summary: 'Sign in with e-mail and password.',
          tags,
          body: Credentials,
          response: { 201: Session },
        },
      },
      async (request, reply) => reply.code(201).send(await signIn(request, keys, request.body)),
    )
    app.post(
      '/v1/sessions/refresh',
      {
        config: { permission: 'public', audit: {}, problems: ['unauthorized'] },
        schema: {
          operationId: 'refreshSession',
          summary: 'The next pair of tokens; each refresh token works once.',
          tags,
          body: Refresh,
          response: { 200: Session },
        },
      },
      request => refresh(request, request.body.refreshToken),
    )
    app.delete(
      '/v1/sessions/current',
      {
        config: { permission: 'self:manage', audit: {} },
        schema: { operationId: 'signOut', summary: 'Sign out here.', tags, response: { 204: Nothing } },
      },
      async (request, reply) => reply.code(204).send(await request.transact(tx => sessions.end(tx, 'current'))),
    )
    app.delete(
      '/v1/sessions',
      {
        config: { permission: 'self:manage', audit: {} },
        schema: { operationId: 'signOutEverywhere', summary: 'Sign out everywhere.', tags, response: { 204: Nothing } },
      },
      async (request, reply) => reply.code(204).send(await request.transact(tx => sessions.end(tx, 'all'))),
    )
    app.post(
      '/v1/enrolments',
      {
        config: { permission: 'public', audit: {}, problems: ['code-not-valid'] },
        schema: {
          operationId: 'enrol',
          summary: 'Set your password with the code that you were given.',
          tags,
          body: Enrolment,
          response: { 204: Nothing },
        },
      },
      async (request, reply) => reply.code(204).send(await enrol(request, keys, request.body)),
    )
    app.get(
      '/v1/me',
      {
        config: { permission: 'self:manage', audit: 'nothing' },
        schema: { operationId: 'getMe', summary: 'Who you are, and what you may do.', tags, response: { 200: Me } },
      },
      request => request.transact(sessions.me),
    )
    app.post(
      '/v1/me/password',
      {
        config: { permission: 'self:manage', audit: {}, problems: ['wrong-credentials'] },
        schema: {
          operationId: 'changePassword',
          summary: 'Change your password; your other sessions end.',
          tags,
          body: PasswordChange,
          response: { 204: Nothing },
        },
      },
      async (request, reply) => reply.code(204).send(await changePassword(request, keys, request.body)),
    )
  }
