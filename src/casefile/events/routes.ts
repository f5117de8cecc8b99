import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { readPage } from '../../platform/http/replies.ts'
import { requireOpen } from '../zones/queries.ts'
import { CaseEventPage, CaseEventQuery, Decisions, IdentityDocuments } from './contract.ts'
import * as findings from './findings.ts'
import * as events from './queries.ts'

export const eventRoutes: Routes = async app => {
  app.get(
    '/v1/cases/:id/events',
    {
      config: { permission: 'cases:read', audit: {} },
      schema: {
        operationId: 'listCaseEvents',
        summary: 'Lists the events of a case, oldest first.',
        tags: ['Cases'],
        params: IdParams,
        querystring: CaseEventQuery,
        response: { 200: CaseEventPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => events.list(tx, request.params.id, request.query)),
  )
  app.get(
    '/v1/cases/:id/decisions',
    {
      config: { permission: 'cases:read', audit: { zones: () => ['identity'] } },
      schema: {
        operationId: 'listDecisions',
        summary: 'Lists the decisions on a case, newest first. Needs the zone identity to be open.',
        tags: ['Procedure'],
        params: IdParams,
        response: { 200: Decisions },
      },
    },
    request =>
      request.transact(async tx => {
        await requireOpen(tx, request.params.id, 'identity')
        return { items: await findings.decisions(tx, request.params.id) }
      }),
  )
  app.get(
    '/v1/cases/:id/documents',
    {
      config: { permission: 'cases:read', audit: { zones: () => ['identity'] } },
      schema: {
        operationId: 'listIdentityDocuments',
        summary:
          'Lists the identity documents that the person received, newest first. Needs the zone identity to be open.',
        tags: ['Procedure'],
        params: IdParams,
        response: { 200: IdentityDocuments },
      },
    },
    request =>
      request.transact(async tx => {
        await requireOpen(tx, request.params.id, 'identity')
        return { items: await findings.documents(tx, request.params.id) }
      }),
  )
}
