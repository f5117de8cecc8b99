import { IdParams, Nothing, type Routes } from '../../platform/http/contract.ts'
import { makeOnce } from '../../platform/http/idempotency.ts'
import { changeOne, readOne, readPage, sendVersioned, settleOne } from '../../platform/http/replies.ts'
import { countGuess, forgetGuess, guessOf } from '../sessions/guesses.ts'
import { newSecret } from '../sessions/queries.ts'
import {
  Account,
  AccountChange,
  AccountPage,
  AccountQuery,
  Colleagues,
  EnrolmentCode,
  InvitedAccount,
  NewAccount,
} from './contract.ts'
import * as accounts from './queries.ts'

const tags = ['Accounts']

export const accountRoutes: Routes = async app => {
  app.get(
    '/v1/accounts',
    {
      config: { permission: 'accounts:manage', audit: {} },
      schema: {
        operationId: 'listAccounts',
        summary: 'Lists the accounts that you manage.',
        tags,
        querystring: AccountQuery,
        response: { 200: AccountPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => accounts.list(tx, request.query)),
  )
  app.get(
    '/v1/colleagues',
    {
      config: { permission: 'colleagues:read', audit: 'nothing' },
      schema: {
        operationId: 'listColleagues',
        summary: 'Lists the people of your organisation by name, to assign work to.',
        tags,
        response: { 200: Colleagues },
      },
    },
    request => request.transact(tx => accounts.colleagues(tx)),
  )
  app.get(
    '/v1/accounts/:id',
    {
      config: { permission: 'accounts:manage', audit: {} },
      schema: {
        operationId: 'getAccount',
        summary: 'Returns one account.',
        tags,
        params: IdParams,
        response: { 200: Account },
      },
    },
    (request, reply) => readOne(request, reply, tx => accounts.find(tx, request.params.id)),
  )
  app.post(
    '/v1/accounts',
    {
      config: {
        permission: 'accounts:manage',
        audit: {},
        idempotency: 'accepted',
        problems: ['already-exists', 'not-found', 'no-second-person'],
      },
      schema: {
        operationId: 'inviteAccount',
        summary: 'Creates an account. Its person sets the password with the enrolment code.',
        tags,
        body: NewAccount,
        response: { 201: InvitedAccount },
      },
    },
    async (request, reply) => {
      const { secret, hash } = newSecret(12)
      let enrolmentCode: string | null = null
      // A refusal reveals that some organisation has an account with this address, so it counts as a guess.
      const guess = guessOf(request, request.keys, request.claims?.sub ?? '')
      await request.aside(tx => countGuess(tx, guess))
      const invited = await makeOnce(request, reply, {
        make: async tx => {
          await forgetGuess(tx, guess)
          enrolmentCode = secret
          return accounts.invite(tx, request.body, hash)
        },
        location: id => `/v1/accounts/${id}`,
        read: accounts.find,
      })
      return { ...sendVersioned(reply, invited, Account), enrolmentCode }
    },
  )
  app.patch(
    '/v1/accounts/:id',
    {
      config: {
        permission: 'accounts:manage',
        audit: {},
        conditional: true,
        problems: ['last-supervisor', 'no-second-person'],
      },
      schema: {
        operationId: 'changeAccount',
        summary:
          'Changes the name or roles of an account, or disables or enables it. A role that confirms waits for a second person.',
        tags,
        params: IdParams,
        body: AccountChange,
        response: { 200: Account },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => accounts.change(tx, request.params.id, version, request.body)),
  )
  app.post(
    '/v1/accounts/:id/confirmation',
    {
      config: {
        permission: 'accounts:manage',
        audit: {},
        conditional: true,
        problems: ['nothing-to-confirm', 'same-person'],
      },
      schema: {
        operationId: 'confirmAccount',
        summary: 'Confirms, as a second person, what waits for an account.',
        tags,
        params: IdParams,
        response: { 204: Nothing },
      },
    },
    (request, reply) => settleOne(request, reply, (tx, version) => accounts.confirm(tx, request.params.id, version)),
  )
  app.post(
    '/v1/accounts/:id/enrolment',
    {
      config: { permission: 'accounts:manage', audit: {}, problems: ['no-second-person'] },
      schema: {
        operationId: 'reenrolAccount',
        summary:
          'Makes a new enrolment code for an account. The code of an account that confirms waits for a second person.',
        tags,
        params: IdParams,
        response: { 201: EnrolmentCode },
      },
    },
    async (request, reply) => {
      const { secret, hash } = newSecret(12)
      await request.transact(tx => accounts.reenrol(tx, request.params.id, hash))
      return reply.code(201).send({ enrolmentCode: secret })
    },
  )
}
