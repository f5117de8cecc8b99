import { expectedVersion } from '../../platform/http/conditional.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { makeOnce } from '../../platform/http/idempotency.ts'
import { Outcome, Transition } from './contract.ts'
import { ofOutcome, sendOutcome } from './outcome.ts'
import * as transitions from './queries.ts'

export const transitionRoutes: Routes = async app => {
  app.post(
    '/v1/cases/:id/transitions',
    {
      config: {
        permission: 'cases:write',
        audit: ofOutcome,
        idempotency: 'required',
        conditional: true,
        problems: ['action-not-allowed', 'two-persons-required'],
      },
      schema: {
        operationId: 'takeStep',
        summary: 'Takes a step of the lifecycle that needs one person.',
        tags: ['Procedure'],
        params: IdParams,
        body: Transition,
        response: { 200: Outcome },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      return sendOutcome(
        reply,
        await makeOnce(request, reply, {
          status: 200,
          make: tx => transitions.take(tx, id, expectedVersion(request), request.body),
          read: (tx, event) => transitions.outcome(tx, id, event),
        }),
      )
    },
  )
}
