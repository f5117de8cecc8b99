import { expectedVersion } from '../../platform/http/conditional.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { makeOnce } from '../../platform/http/idempotency.ts'
import { changeOne, makeOne, readOne, readPage } from '../../platform/http/replies.ts'
import { Outcome, ProposedStep } from '../transitions/contract.ts'
import { ofOutcome, sendOutcome } from '../transitions/outcome.ts'
import { outcome } from '../transitions/queries.ts'
import { Proposal, ProposalPage, ProposalQuery, Rejection } from './contract.ts'
import * as proposals from './queries.ts'

const tags = ['Procedure']
const ofProposal = { cases: ({ case: { id } }: Proposal) => [id] }
const ofProposals = { cases: ({ items }: { items: readonly Proposal[] }) => items.map(({ case: { id } }) => id) }

export const proposalRoutes: Routes = async app => {
  app.post(
    '/v1/cases/:id/proposals',
    {
      config: {
        permission: 'cases:write',
        audit: {},
        idempotency: 'required',
        conditional: true,
        problems: ['action-not-allowed', 'proposal-pending'],
      },
      schema: {
        operationId: 'proposeStep',
        summary: 'Proposes a step of the lifecycle that needs two persons.',
        tags,
        params: IdParams,
        body: ProposedStep,
        response: { 201: Proposal },
      },
    },
    (request, reply) =>
      makeOne(request, reply, {
        make: tx => proposals.propose(tx, request.params.id, expectedVersion(request), request.body),
        location: id => `/v1/proposals/${id}`,
        read: proposals.find,
      }),
  )
  app.get(
    '/v1/proposals',
    {
      config: { permission: 'cases:read', audit: ofProposals },
      schema: {
        operationId: 'listProposals',
        summary:
          'Lists the proposals of your organisation and its divisions; with `awaiting=me` those that you can confirm.',
        tags,
        querystring: ProposalQuery,
        response: { 200: ProposalPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => proposals.list(tx, request.query)),
  )
  app.get(
    '/v1/proposals/:id',
    {
      config: { permission: 'cases:read', audit: ofProposal },
      schema: {
        operationId: 'getProposal',
        summary: 'Returns one proposal.',
        tags,
        params: IdParams,
        response: { 200: Proposal },
      },
    },
    (request, reply) => readOne(request, reply, tx => proposals.find(tx, request.params.id)),
  )
  app.post(
    '/v1/proposals/:id/confirmation',
    {
      config: {
        permission: 'proposals:settle',
        audit: ofOutcome,
        idempotency: 'required',
        conditional: true,
        problems: ['action-not-allowed', 'proposal-settled', 'same-person', 'no-second-person', 'already-exists'],
      },
      schema: {
        operationId: 'confirmProposal',
        summary: 'Confirms a proposal of a colleague. The step is taken exactly as proposed.',
        tags,
        params: IdParams,
        response: { 200: Outcome },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      return sendOutcome(
        reply,
        await makeOnce(request, reply, {
          status: 200,
          make: tx => proposals.confirm(tx, id, expectedVersion(request)),
          read: async (tx, event) => outcome(tx, (await proposals.find(tx, id)).case.id, event),
        }),
      )
    },
  )
  app.post(
    '/v1/proposals/:id/rejection',
    {
      config: { permission: 'cases:write', audit: ofProposal, conditional: true, problems: ['proposal-settled'] },
      schema: {
        operationId: 'rejectProposal',
        summary: 'Rejects a proposal of a colleague, or withdraws your own.',
        tags,
        params: IdParams,
        body: Rejection,
        response: { 200: Proposal },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => proposals.reject(tx, request.params.id, version, request.body.reason)),
  )
}
