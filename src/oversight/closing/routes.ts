import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { Remainder } from './contract.ts'
import { remainder } from './queries.ts'

export const closingRoutes: Routes = async app => {
  app.get(
    '/v1/organisations/:id/remainder',
    {
      config: { permission: 'accounts:manage', audit: {} },
      schema: {
        operationId: 'getRemainder',
        summary: 'Counts what an organisation has to hand over, end or answer before it is closed.',
        tags: ['Organisations'],
        params: IdParams,
        response: { 200: Remainder },
      },
    },
    request => request.transact(tx => remainder(tx, request.params.id)),
  )
}
