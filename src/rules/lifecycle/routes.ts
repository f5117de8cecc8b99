import type { Routes } from '../../platform/http/contract.ts'
import { Lifecycle } from './contract.ts'
import { publicLifecycle } from './steps.ts'

export const lifecycleRoutes: Routes = async app => {
  app.get(
    '/v1/lifecycle',
    {
      config: { permission: 'reference:read', audit: 'nothing' },
      schema: {
        operationId: 'getLifecycle',
        summary: 'Returns the lifecycle: each step, from which state to which, and by whom.',
        tags: ['Reference data'],
        response: { 200: Lifecycle },
      },
    },
    // The reply needs no query, but the transaction checks the session of the caller.
    request => request.transact(async () => publicLifecycle),
  )
}
