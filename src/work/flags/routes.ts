import { ofCase, ofCases } from '../../platform/http/audit.ts'
import { changeVersioned, sendVersioned } from '../../platform/http/conditional.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { makeOnce } from '../../platform/http/idempotency.ts'
import { sendPage } from '../../platform/http/page.ts'
import { Clearance, Flag, FlagPage, FlagQuery, NewFlag } from './contract.ts'
import * as flags from './queries.ts'

const tags = ['Work']

export const flagRoutes: Routes = async app => {
  app.post(
    '/v1/cases/:id/flags',
    {
      config: { permission: 'flags:write', audit: ofCase, idempotency: 'accepted', problems: ['file-erased'] },
      schema: {
        operationId: 'raiseFlag',
        summary: 'Say what your organisation has to keep in mind about the case.',
        tags,
        params: IdParams,
        body: NewFlag,
        response: { 201: Flag },
      },
    },
    async (request, reply) =>
      sendVersioned(
        reply,
        await makeOnce(request, reply, {
          make: tx => flags.raise(tx, request.params.id, request.body),
          location: id => `/v1/flags/${id}`,
          read: flags.find,
        }),
      ),
  )
  app.get(
    '/v1/cases/:id/flags',
    {
      config: { permission: 'cases:read', audit: ofCases },
      schema: {
        operationId: 'listFlags',
        summary: 'The flags of your organisation on the case, newest first, with those that were cleared.',
        tags,
        params: IdParams,
        querystring: FlagQuery,
        response: { 200: FlagPage },
      },
    },
    async (request, reply) =>
      sendPage(request, reply, await request.transact(tx => flags.list(tx, request.params.id, request.query))),
  )
  app.get(
    '/v1/flags/:id',
    {
      config: { permission: 'cases:read', audit: ofCase },
      schema: {
        operationId: 'getFlag',
        summary: 'One flag.',
        tags,
        params: IdParams,
        response: { 200: Flag },
      },
    },
    async (request, reply) => sendVersioned(reply, await request.transact(tx => flags.find(tx, request.params.id))),
  )
  app.post(
    '/v1/flags/:id/clearance',
    {
      config: { permission: 'flags:write', audit: ofCase, conditional: true, problems: ['flag-cleared'] },
      schema: {
        operationId: 'clearFlag',
        summary: 'Say that it is no longer so, and why; the flag stays on record.',
        tags,
        params: IdParams,
        body: Clearance,
        response: { 200: Flag },
      },
    },
    (request, reply) =>
      changeVersioned(request, reply, (tx, version) =>
        flags.clear(tx, request.params.id, version, request.body.reason),
      ),
  )
}
