import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { changeOne, makeOne, readOne, readPage } from '../../platform/http/replies.ts'
import type { Sweep } from '../../platform/http/sweep.ts'
import { RetentionPage, RetentionQuery, RetentionRun } from './contract.ts'
import * as retention from './queries.ts'

const tags = ['Erasure']
const permission = 'retention:run'

/** `eraser` carries out an approved run right after the reply. */
export const retentionRoutes =
  (eraser: Sweep): Routes =>
  async app => {
    app.post(
      '/v1/retention-runs',
      {
        config: { permission, audit: {}, idempotency: 'accepted' },
        schema: {
          operationId: 'startRetention',
          summary:
            'Asks to erase everything that is due by the retention rules. Another administrator has to approve it.',
          tags,
          response: { 201: RetentionRun },
        },
      },
      (request, reply) =>
        makeOne(request, reply, {
          make: retention.start,
          location: id => `/v1/retention-runs/${id}`,
          read: retention.find,
        }),
    )
    app.get(
      '/v1/retention-runs',
      {
        config: { permission, audit: {} },
        schema: {
          operationId: 'listRetentionRuns',
          summary: 'Lists the retention runs, newest first.',
          tags,
          querystring: RetentionQuery,
          response: { 200: RetentionPage },
        },
      },
      (request, reply) => readPage(request, reply, tx => retention.list(tx, request.query)),
    )
    app.get(
      '/v1/retention-runs/:id',
      {
        config: { permission, audit: {} },
        schema: {
          operationId: 'getRetentionRun',
          summary: 'Returns one retention run: how much of which organisation, by which rule.',
          tags,
          params: IdParams,
          response: { 200: RetentionRun },
        },
      },
      (request, reply) => readOne(request, reply, tx => retention.find(tx, request.params.id)),
    )
    app.post(
      '/v1/retention-runs/:id/approval',
      {
        config: {
          permission,
          audit: {},
          conditional: true,
          problems: ['erasure-settled', 'same-person', 'no-second-person'],
        },
        schema: {
          operationId: 'approveRetention',
          summary:
            'Approves a retention run. It is carried out at once and cannot be undone; what is in use again is kept.',
          tags,
          params: IdParams,
          response: { 200: RetentionRun },
        },
      },
      async (request, reply) => {
        const approved = await changeOne(request, reply, (tx, version) =>
          retention.decide(tx, request.params.id, version, 'approve'),
        )
        eraser.wake()
        return approved
      },
    )
    app.post(
      '/v1/retention-runs/:id/rejection',
      {
        config: { permission, audit: {}, conditional: true, problems: ['erasure-settled'] },
        schema: {
          operationId: 'rejectRetention',
          summary: 'Rejects a retention run, or withdraws your own.',
          tags,
          params: IdParams,
          response: { 200: RetentionRun },
        },
      },
      (request, reply) =>
        changeOne(request, reply, (tx, version) => retention.decide(tx, request.params.id, version, 'reject')),
    )
  }
