import { ofCase, ofCases } from '../../platform/http/audit.ts'
import { IdParams, Nothing, type Routes } from '../../platform/http/contract.ts'
import { readPage, settleOne } from '../../platform/http/replies.ts'
import type { Sweep } from '../../platform/http/sweep.ts'
import { ConfirmationPage, ConfirmationQuery } from './contract.ts'
import * as confirmations from './queries.ts'

const tags = ['Confirmations']
const permission = 'confirmations:give'

/** `eraser` carries out a confirmed erasure right after the reply. */
export const confirmationRoutes =
  (eraser: Sweep): Routes =>
  async app => {
    app.get(
      '/v1/confirmations',
      {
        config: { permission, audit: { ...ofCases, zones: () => [] } },
        schema: {
          operationId: 'listConfirmations',
          summary: 'Lists what you can confirm for organisations that have no second person.',
          tags,
          querystring: ConfirmationQuery,
          response: { 200: ConfirmationPage },
        },
      },
      (request, reply) => readPage(request, reply, tx => confirmations.list(tx, request.query)),
    )
    app.post(
      '/v1/confirmations/:id/approval',
      {
        config: {
          permission,
          audit: { ...ofCase, zones: () => [] },
          conditional: true,
          problems: ['action-not-allowed', 'file-must-stay'],
        },
        schema: {
          operationId: 'confirmForAnother',
          summary: 'Confirms this for the other organisation.',
          tags,
          params: IdParams,
          response: { 204: Nothing },
        },
      },
      async (request, reply) => {
        const nothing = await settleOne(request, reply, (tx, version) =>
          confirmations.confirm(tx, request.params.id, version),
        )
        eraser.wake()
        return nothing
      },
    )
  }
