import type { FastifyReply } from 'fastify'
import { expectedVersion, sendVersioned } from '../../platform/http/conditional.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { makeOnce } from '../../platform/http/idempotency.ts'
import { Outcome, Transition } from './contract.ts'
import * as transitions from './queries.ts'

/** What an outcome tells the audit log. */
export const ofOutcome = {
  cases: ({ case: of }: Outcome) => (of ? [of.id] : []),
  zones: ({ case: of }: Outcome) => Object.keys(of?.person ?? {}),
}

/** Sends what happened, with the version of the case as the `ETag`. */
export function sendOutcome(reply: FastifyReply, outcome: Outcome): Outcome {
  if (outcome.case) sendVersioned(reply, outcome.case)
  return outcome
}

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
        summary: 'Take a step of the lifecycle that needs one person.',
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
          location: () => `/v1/cases/${id}`,
          read: (tx, event) => transitions.outcome(tx, id, event),
        }),
      )
    },
  )
}
