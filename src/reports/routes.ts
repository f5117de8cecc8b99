import type { Routes } from '../http/contract.ts'
import { CampaignProgress, CampaignProgressQuery } from './contract.ts'
import * as reports from './queries.ts'

export const reportRoutes: Routes = async app => {
  app.get(
    '/v1/reports/campaign-progress',
    {
      config: { permission: 'reports:read' },
      schema: {
        operationId: 'reportCampaignProgress',
        summary: 'How many were registered and documented in a campaign.',
        tags: ['Reports'],
        querystring: CampaignProgressQuery,
        response: { 200: CampaignProgress },
      },
    },
    request => request.transact(tx => reports.campaignProgress(tx, request.query)),
  )
}
