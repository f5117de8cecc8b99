import { PageQuery } from '../../platform/db/page.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { readPage } from '../../platform/http/replies.ts'
import { AccessLog, EntryPage, EntryQuery } from './contract.ts'
import * as audit from './queries.ts'

const tags = ['Audit']

export const auditRoutes: Routes = async app => {
  app.get(
    '/v1/audit/entries',
    {
      config: { permission: 'audit:read', audit: {} },
      schema: {
        operationId: 'listAuditEntries',
        summary: 'Lists the audit entries, newest first: who did what, and what was refused.',
        tags,
        querystring: EntryQuery,
        response: { 200: EntryPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => audit.entries(tx, request.query)),
  )
  app.get(
    '/v1/cases/:id/access-log',
    {
      config: { permission: 'cases:read', audit: { zones: () => [] } },
      schema: {
        operationId: 'listLooks',
        summary: 'Lists who read your case, when, which zones, and through which grants; newest first.',
        tags,
        params: IdParams,
        querystring: PageQuery,
        response: { 200: AccessLog },
      },
    },
    (request, reply) => readPage(request, reply, tx => audit.accessLog(tx, request.params.id, request.query)),
  )
}
