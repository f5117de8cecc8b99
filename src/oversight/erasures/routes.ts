import { ofCase, ofCases } from '../../platform/http/audit.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { changeOne, makeOne, readOne, readPage } from '../../platform/http/replies.ts'
import type { Sweep } from '../../platform/http/sweep.ts'
import { Erasure, ErasurePage, ErasurePlan, ErasureQuery, NewErasure } from './contract.ts'
import * as erasures from './queries.ts'

const tags = ['Erasure']

/** `eraser` carries out an approved erasure right after the reply. */
export const erasureRoutes =
  (eraser: Sweep): Routes =>
  async app => {
    app.get(
      '/v1/cases/:id/erasure-plan',
      {
        config: { permission: 'erasures:request', audit: { zones: () => [] }, problems: ['nothing-held'] },
        schema: {
          operationId: 'planErasure',
          summary:
            'Returns what an erasure would destroy of what your organisation holds of a case, and what would stay, by which law.',
          tags,
          params: IdParams,
          response: { 200: ErasurePlan },
        },
      },
      request => request.transact(tx => erasures.plan(tx, request.params.id)),
    )
    app.post(
      '/v1/cases/:id/erasures',
      {
        config: {
          permission: 'erasures:request',
          audit: { zones: () => [] },
          idempotency: 'accepted',
          problems: ['nothing-held', 'file-must-stay', 'file-erased', 'erasure-pending'],
        },
        schema: {
          operationId: 'requestErasure',
          summary: 'Asks to erase what your organisation holds of a case. A supervisor has to approve it.',
          tags,
          params: IdParams,
          body: NewErasure,
          response: { 201: Erasure },
        },
      },
      (request, reply) =>
        makeOne(request, reply, {
          make: tx => erasures.request(tx, request.params.id, request.body),
          location: id => `/v1/erasures/${id}`,
          read: erasures.find,
        }),
    )
    app.get(
      '/v1/erasures',
      {
        config: { permission: 'erasures:request', audit: ofCases },
        schema: {
          operationId: 'listErasures',
          summary: 'Lists the erasures of your organisation, newest first.',
          tags,
          querystring: ErasureQuery,
          response: { 200: ErasurePage },
        },
      },
      (request, reply) => readPage(request, reply, tx => erasures.list(tx, request.query)),
    )
    app.get(
      '/v1/erasures/:id',
      {
        config: { permission: 'erasures:request', audit: ofCase },
        schema: {
          operationId: 'getErasure',
          summary: 'Returns one erasure.',
          tags,
          params: IdParams,
          response: { 200: Erasure },
        },
      },
      (request, reply) => readOne(request, reply, tx => erasures.find(tx, request.params.id)),
    )
    app.post(
      '/v1/erasures/:id/approval',
      {
        config: {
          permission: 'erasures:approve',
          audit: ofCase,
          conditional: true,
          problems: ['erasure-settled', 'same-person', 'no-second-person', 'file-must-stay'],
        },
        schema: {
          operationId: 'approveErasure',
          summary: 'Approves an erasure that a colleague asked for. It is carried out at once and cannot be undone.',
          tags,
          params: IdParams,
          response: { 200: Erasure },
        },
      },
      async (request, reply) => {
        const approved = await changeOne(request, reply, (tx, version) =>
          erasures.decide(tx, request.params.id, version, 'approve'),
        )
        eraser.wake()
        return approved
      },
    )
    app.post(
      '/v1/erasures/:id/rejection',
      {
        config: {
          permission: 'erasures:request',
          audit: ofCase,
          conditional: true,
          problems: ['erasure-settled'],
        },
        schema: {
          operationId: 'rejectErasure',
          summary: 'Rejects an erasure that a colleague or a retention run asked for, or withdraws your own.',
          tags,
          params: IdParams,
          response: { 200: Erasure },
        },
      },
      (request, reply) =>
        changeOne(request, reply, (tx, version) => erasures.decide(tx, request.params.id, version, 'reject')),
    )
  }
