import type { Keys } from '../access/keys.ts'
import { sendVersioned } from '../http/conditional.ts'
import { IdParams, type Routes } from '../http/contract.ts'
import { makeOnce } from '../http/idempotency.ts'
import { sendPage } from '../http/page.ts'
import { Case, CaseEvents, CasePage, CaseQuery, NewCase } from './contract.ts'
import * as cases from './queries.ts'

const tags = ['Cases']

export const caseRoutes =
  (keys: Keys): Routes =>
  async app => {
    app.post(
      '/v1/cases',
      {
        config: { permission: 'cases:register', idempotency: 'required', problems: ['already-exists'] },
        schema: {
          operationId: 'registerCase',
          summary: 'Register a person: the case, the legal basis, what is known.',
          tags,
          body: NewCase,
          response: { 201: Case },
        },
      },
      async (request, reply) =>
        sendVersioned(
          reply,
          await makeOnce(request, reply, {
            make: tx => cases.register(tx, request.body, keys),
            location: id => `/v1/cases/${id}`,
            read: cases.find,
          }),
        ),
    )
    app.get(
      '/v1/cases',
      {
        config: { permission: 'cases:read' },
        schema: {
          operationId: 'listCases',
          summary: 'The cases that are open to you, newest first.',
          tags,
          querystring: CaseQuery,
          response: { 200: CasePage },
        },
      },
      async (request, reply) => sendPage(request, reply, await request.transact(tx => cases.list(tx, request.query))),
    )
    app.get(
      '/v1/cases/:id',
      {
        config: { permission: 'cases:read' },
        schema: {
          operationId: 'getCase',
          summary: 'One case, with the zones that you may see.',
          tags,
          params: IdParams,
          response: { 200: Case },
        },
      },
      async (request, reply) => sendVersioned(reply, await request.transact(tx => cases.find(tx, request.params.id))),
    )
    app.get(
      '/v1/cases/:id/events',
      {
        config: { permission: 'cases:read' },
        schema: {
          operationId: 'listCaseEvents',
          summary: 'What happened to a case.',
          tags,
          params: IdParams,
          response: { 200: CaseEvents },
        },
      },
      request => request.transact(tx => cases.events(tx, request.params.id)),
    )
  }
