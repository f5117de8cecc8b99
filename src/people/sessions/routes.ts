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
        config: {
          permission: 'public',
          audit: {},
          problems: ['wrong-credentials', 'second-factor-required', 'wrong-second-factor'],
        },
        schema: {
          operationId: 'signIn',
          summary: 'Signs in with e-mail and password, and a code if the account has a second factor.',
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
          summary:
            'Returns the next pair of tokens. For 30 seconds the same refresh token returns the same next one, if the reply was lost.',
          tags,
          body: Refresh,
          response: { 200: Session },
        },
      },
      request => refresh(request, keys, request.body.refreshToken),
    )
    app.delete(
      '/v1/sessions/current',
      {
        config: { permission: 'self:manage', audit: {} },
        schema: { operationId: 'signOut', summary: 'Ends this session.', tags, response: { 204: Nothing } },
      },
      async (request, reply) => reply.code(204).send(await request.transact(tx => sessions.end(tx, 'current'))),
    )
    app.delete(
      '/v1/sessions',
      {
        config: { permission: 'self:manage', audit: {} },
        schema: {
          operationId: 'signOutEverywhere',
          summary: 'Ends all your sessions.',
          tags,
          response: { 204: Nothing },
        },
      },
      async (request, reply) => reply.code(204).send(await request.transact(tx => sessions.end(tx, 'all'))),
    )
    app.post(
      '/v1/enrolments',
      {
        config: { permission: 'public', audit: {}, problems: ['code-not-valid'] },
        schema: {
          operationId: 'enrol',
          summary: 'Sets your password with your enrolment code.',
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
        schema: {
          operationId: 'getMe',
          summary: 'Returns your account, organisation, roles and permissions.',
          tags,
          response: { 200: Me },
        },
      },
      request => request.transact(sessions.me),
    )
    app.post(
      '/v1/me/password',
      {
        config: { permission: 'self:manage', audit: {}, problems: ['wrong-credentials'] },
        schema: {
          operationId: 'changePassword',
          summary: 'Changes your password and ends your other sessions.',
          tags,
          body: PasswordChange,
          response: { 204: Nothing },
        },
      },
      async (request, reply) => reply.code(204).send(await changePassword(request, keys, request.body)),
    )
  }
