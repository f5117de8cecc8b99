import { PageQuery } from '../../platform/db/page.ts'
import { ofCase, ofCases } from '../../platform/http/audit.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { changeOne, makeOne, readOne, readPage } from '../../platform/http/replies.ts'
import { Grant, GrantPage, GrantQuery, NewGrant, Receipt, ReceiptQuery, Revocation, RevokedGrant } from './contract.ts'
import { give } from './give.ts'
import * as grants from './queries.ts'
import { asHtml, receipt } from './receipt.ts'

const tags = ['Consent']

export const grantRoutes: Routes = async app => {
  app.post(
    '/v1/cases/:id/grants',
    {
      config: {
        permission: 'grants:give',
        audit: {},
        idempotency: 'accepted',
        problems: ['action-not-allowed', 'file-erased', 'grant-exists'],
      },
      schema: {
        operationId: 'giveGrant',
        summary:
          'Gives a grant: what the person agreed to share, or what must be shared because a life is in danger. An equal grant that ends earlier is renewed: it closes.',
        tags,
        params: IdParams,
        body: NewGrant,
        response: { 201: Grant },
      },
    },
    (request, reply) =>
      makeOne(request, reply, {
        make: tx => give(tx, request.params.id, request.body),
        location: id => `/v1/grants/${id}`,
        read: grants.find,
      }),
  )
  app.get(
    '/v1/cases/:id/grants',
    {
      config: { permission: 'cases:read', audit: {} },
      schema: {
        operationId: 'listCaseGrants',
        summary:
          'Lists the grants of a case. The owner sees all of them; others see the grants that they gave or received.',
        tags,
        params: IdParams,
        querystring: PageQuery,
        response: { 200: GrantPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => grants.ofCase(tx, request.params.id, request.query)),
  )
  app.get(
    '/v1/grants',
    {
      config: { permission: 'cases:read', audit: ofCases },
      schema: {
        operationId: 'listGrants',
        summary: 'Lists the grants that your organisation gave or received, newest first.',
        tags,
        querystring: GrantQuery,
        response: { 200: GrantPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => grants.list(tx, request.query)),
  )
  app.get(
    '/v1/grants/:id',
    {
      config: { permission: 'cases:read', audit: ofCase },
      schema: {
        operationId: 'getGrant',
        summary: 'Returns one grant.',
        tags,
        params: IdParams,
        response: { 200: Grant },
      },
    },
    (request, reply) => readOne(request, reply, tx => grants.find(tx, request.params.id)),
  )
  app.get(
    '/v1/grants/:id/receipt',
    {
      config: { permission: 'cases:read', audit: ofCase },
      schema: {
        operationId: 'getReceipt',
        summary:
          'Returns the receipt for the person in their language, as JSON or as HTML to print (by the `Accept` header).',
        tags,
        produces: ['text/html'],
        params: IdParams,
        querystring: ReceiptQuery,
        response: { 200: Receipt },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const written = await request.transact(tx => receipt(tx, id, request.query.language))
      if (!/\btext\/html\b/.test(request.headers.accept ?? '')) return written
      return reply.type('text/html; charset=utf-8').send(asHtml(written) as never)
    },
  )
  app.post(
    '/v1/grants/:id/revocation',
    {
      config: {
        permission: 'grants:give',
        audit: ofCase,
        conditional: true,
        problems: ['grant-not-revocable', 'grant-over'],
      },
      schema: {
        operationId: 'revokeGrant',
        summary:
          'Revokes a grant, because the person withdrew consent. The grant and all grants that pass it on close at once.',
        tags,
        params: IdParams,
        body: Revocation,
        response: { 200: RevokedGrant },
      },
    },
    (request, reply) =>
      changeOne(request, reply, (tx, version) => grants.revoke(tx, request.params.id, version, request.body), Grant),
  )
  app.post(
    '/v1/grants/:id/acknowledgement',
    {
      config: { permission: 'cases:write', audit: ofCase, conditional: true, problems: ['grant-over'] },
      schema: {
        operationId: 'acknowledgeRevocation',
        summary: 'Acknowledges a revocation: your organisation has seen it and no longer uses the data.',
        tags,
        params: IdParams,
        response: { 200: Grant },
      },
    },
    (request, reply) => changeOne(request, reply, (tx, version) => grants.acknowledge(tx, request.params.id, version)),
  )
  app.post(
    '/v1/grants/:id/confirmation',
    {
      config: {
        permission: 'grants:give',
        audit: ofCase,
        conditional: true,
        problems: ['grant-over', 'same-person', 'no-second-person'],
      },
      schema: {
        operationId: 'confirmVitalInterest',
        summary: 'Confirms, as a second person, that a life was in danger.',
        tags,
        params: IdParams,
        response: { 200: Grant },
      },
    },
    (request, reply) => changeOne(request, reply, (tx, version) => grants.confirm(tx, request.params.id, version)),
  )
}
