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
        summary: 'Say what your organisation has to keep in mind about the case.',
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
        summary: 'The flags of your organisation on the case, newest first, with those that were cleared.',
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
        summary: 'One flag.',
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
        summary: 'Say that it is no longer so, and why; the flag stays on record.',
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
