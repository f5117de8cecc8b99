import { requireOpen } from '../../casefile/zones/queries.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { Decisions } from './contract.ts'
import * as decisions from './queries.ts'

export const decisionRoutes: Routes = async app => {
  app.get(
    '/v1/cases/:id/decisions',
    {
      config: { permission: 'cases:read', audit: { zones: () => ['identity'] } },
      schema: {
        operationId: 'listDecisions',
        summary: 'What the authority found, and why, the newest first; for those to whom the identity stands open.',
        tags: ['Procedure'],
        params: IdParams,
        response: { 200: Decisions },
      },
    },
    request =>
      request.transact(async tx => {
        await requireOpen(tx, request.params.id, 'identity')
        return { items: await decisions.list(tx, request.params.id) }
      }),
  )
}
