import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { sendPage } from '../../platform/http/page.ts'
import { CaseEventPage, CaseEventQuery } from './contract.ts'
import * as events from './queries.ts'

export const eventRoutes: Routes = async app => {
  app.get(
    '/v1/cases/:id/events',
    {
      config: { permission: 'cases:read', audit: {} },
      schema: {
        operationId: 'listCaseEvents',
        summary: 'What happened to a case, in the order in which it was recorded.',
        tags: ['Cases'],
        params: IdParams,
        querystring: CaseEventQuery,
        response: { 200: CaseEventPage },
      },
    },
    async (request, reply) =>
      sendPage(request, reply, await request.transact(tx => events.list(tx, request.params.id, request.query))),
  )
}
