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
    // The table is the release's own, but who asks for it is still looked up.
    request => request.transact(async () => publicLifecycle),
  )
}
