import type { FastifyRequest } from 'fastify'
import type { Tx } from '../../platform/db/database.ts'
import { IdParams, Nothing, type Routes } from '../../platform/http/contract.ts'
import { Problem } from '../../problem.ts'
import { countGuess, forgetGuess, type Guess, guessOf } from '../sessions/guesses.ts'
import { verifyPassword } from '../sessions/password.ts'
import { checkOtp, isGone } from '../sessions/sign-in.ts'
import { OwnProof, RecoveryCodes, SecondFactor, SecondFactorRule } from './contract.ts'
import { newCodes, newFactor, type Proof } from './policy.ts'
import * as factors from './queries.ts'

const ofMe = ['Signing in']
const ofOrganisations = ['Organisations']
const proving = ['wrong-credentials', 'wrong-second-factor', 'second-factor-required'] as const

export const secondFactorRoutes: Routes = async app => {
  app.post(
    '/v1/me/second-factor',
    {
      config: { permission: 'self:manage', audit: {}, problems: [...proving] },
      schema: {
        operationId: 'offerSecondFactor',
        summary: 'Makes the secret of a second factor (TOTP). It is in use once you confirm it with a code.',
        tags: ofMe,
        body: OwnProof,
        response: { 201: SecondFactor },
      },
    },
    async (request, reply) => {
      const proven = await prove(request, request.body)
      const { account, email } = proven.own
      const { sealed, shown } = newFactor(request.keys, account, email)
      await change(request, proven, (tx, hash, proof) => factors.offer(tx, hash, sealed, proof))
      return reply.code(201).send(shown)
    },
  )
  app.post(
    '/v1/me/second-factor/confirmation',
    {
      config: { permission: 'self:manage', audit: {}, problems: [...proving, 'no-second-factor'] },
      schema: {
        operationId: 'confirmSecondFactor',
        summary: 'Puts your new second factor into use, makes recovery codes, and ends your other sessions.',
        tags: ofMe,
        body: OwnProof,
        response: { 201: RecoveryCodes },
      },
    },
    async (request, reply) => {
      const { own, ...proven } = await prove(request, request.body, 'offered')
      const { codes, hashes } = newCodes(request.keys, own.account)
      await change(request, proven, (tx, hash, proof) => factors.confirm(tx, hash, hashes, proof))
      return reply.code(201).send({ recoveryCodes: codes })
    },
  )
  app.post(
    '/v1/me/second-factor/recovery-codes',
    {
      config: { permission: 'self:manage', audit: {}, problems: [...proving, 'no-second-factor'] },
      schema: {
        operationId: 'renewRecoveryCodes',
        summary: 'Replaces your recovery codes.',
        tags: ofMe,
        body: OwnProof,
        response: { 201: RecoveryCodes },
      },
    },
    async (request, reply) => {
      const { own, ...proven } = await prove(request, request.body)
      const { codes, hashes } = newCodes(request.keys, own.account)
      await change(request, proven, (tx, hash, proof) => factors.renewCodes(tx, hash, hashes, proof))
      return reply.code(201).send({ recoveryCodes: codes })
    },
  )
  app.post(
    '/v1/me/second-factor/removal',
    {
      config: { permission: 'self:manage', audit: {}, problems: [...proving] },
      schema: {
        operationId: 'removeSecondFactor',
        summary: 'Removes your second factor and its recovery codes. Refused if it is required.',
        tags: ofMe,
        body: OwnProof,
        response: { 204: Nothing },
      },
    },
    async (request, reply) => {
      const proven = await prove(request, request.body)
      await change(request, proven, factors.remove)
      return reply.code(204).send(null)
    },
  )
  app.get(
    '/v1/organisations/:id/second-factor',
    {
      config: { permission: 'accounts:manage', audit: 'nothing' },
      schema: {
        operationId: 'getSecondFactorRule',
        summary: 'Returns which roles of an organisation must have a second factor.',
        tags: ofOrganisations,
        params: IdParams,
        response: { 200: SecondFactorRule },
      },
    },
    request => request.transact(tx => factors.rule(tx, request.params.id)),
  )
  app.put(
    '/v1/organisations/:id/second-factor',
    {
      config: { permission: 'accounts:manage', audit: {} },
      schema: {
        operationId: 'putSecondFactorRule',
        summary: 'Sets which roles must have a second factor. An account without it can do nothing but set it up.',
        tags: ofOrganisations,
        params: IdParams,
        body: SecondFactorRule,
        response: { 200: SecondFactorRule },
      },
    },
    request => request.transact(tx => factors.setRule(tx, request.params.id, request.body)),
  )
}

type Proven = { hash: string; guess: Guess; proof: Proof }

/**
 * Checks the password of the caller, and a code of the secret that is in use, or of the one that is offered. Attempts are
 * counted as for a sign-in.
 */
async function prove(
  request: FastifyRequest,
  { password, otp }: OwnProof,
  by: 'secret' | 'offered' = 'secret',
): Promise<Proven & { own: factors.Own }> {
  const guess = guessOf(request, request.keys, request.claims?.sub ?? '')
  const own = await request.aside(async tx => {
    await countGuess(tx, guess)
    return factors.own(tx)
  })
  const { password_hash: hash, account, instant } = own
  if (!(await verifyPassword(password, hash, isGone(request))) || !hash) throw new Problem('wrong-credentials')
  const proof = await checkOtp(request, request.keys, guess, { account, instant, secret: own[by] }, otp)
  return { own, hash, guess, proof }
}

/** Changes something with what was proven; the database checks it again, and uses the code up. */
const change = (
  request: FastifyRequest,
  { hash, guess, proof }: Proven,
  work: (tx: Tx, hash: string, proof: Proof) => Promise<unknown>,
) =>
  request.transact(async tx => {
    await work(tx, hash, proof)
    await forgetGuess(tx, guess)
  })
