import { requireOpen } from '../../casefile/zones/queries.ts'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { IdentityDocuments } from './contract.ts'
import * as documents from './queries.ts'

export const documentRoutes: Routes = async app => {
  app.get(
    '/v1/cases/:id/documents',
    {
      config: { permission: 'cases:read', audit: { zones: () => ['identity'] } },
      schema: {
        operationId: 'listIdentityDocuments',
        summary: 'The identity documents that the person was given; for those to whom the identity stands open.',
        tags: ['Procedure'],
        params: IdParams,
        response: { 200: IdentityDocuments },
      },
    },
    request =>
      request.transact(async tx => {
        await requireOpen(tx, request.params.id, 'identity')
        return { items: await documents.list(tx, request.params.id) }
      }),
  )
}
