import { ofCase, ofCases } from '../../platform/http/audit.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { changeOne, makeOne, readOne, readPage } from '../../platform/http/replies.ts'
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
        summary: 'Raises a flag of your organisation on the case.',
        tags,
        params: IdParams,
        body: NewFlag,
        response: { 201: Flag },
      },
    },
    (request, reply) =>
      makeOne(request, reply, {
        make: tx => flags.raise(tx, request.params.id, request.body),
        location: id => `/v1/flags/${id}`,
        read: flags.find,
      }),
  )
  app.get(
    '/v1/cases/:id/flags',
    {
      config: { permission: 'cases:read', audit: ofCases },
      schema: {
        operationId: 'listFlags',
        summary: 'Lists the flags of your organisation on the case, newest first, cleared flags included.',
        tags,
        params: IdParams,
        querystring: FlagQuery,
        response: { 200: FlagPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => flags.list(tx, request.params.id, request.query)),
  )
  app.get(
    '/v1/flags/:id',
    {
      config: { permission: 'cases:read', audit: ofCase },
      schema: {
        operationId: 'getFlag',
        summary: 'Returns one flag.',
        tags,
        params: IdParams,
        response: { 200: Flag },
      },
    },
    (request, reply) => readOne(request, reply, tx => flags.find(tx, request.params.id)),
  )
  app.post(
    '/v1/flags/:id/clearance',
    {
      config: { permission: 'flags:write', audit: ofCase, conditional: true, problems: ['flag-cleared'] },
      schema: {
        operationId: 'clearFlag',
        summary: 'Clears a flag, with a reason. It stays on record.',
        tags,
        params: IdParams,
        body: Clearance,
        response: { 200: Flag },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => flags.clear(tx, request.params.id, version, request.body.reason)),
  )
}
