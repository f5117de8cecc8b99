import { CasePage } from '../../casefile/cases/contract.ts'
import { ofPage } from '../../platform/http/audit.ts'
import type { Routes } from '../../platform/http/contract.ts'
import { readPage } from '../../platform/http/replies.ts'
import { CampaignCasesQuery, CampaignProgress, CampaignProgressQuery, Reports } from './contract.ts'
import * as reports from './queries.ts'
import { asCsv } from './table.ts'

const tags = ['Reports']
const url = '/v1/reports/campaign-progress'

export const reportRoutes: Routes = async app => {
  app.get(
    '/v1/reports',
    {
      config: { permission: 'reports:read', audit: 'nothing' },
      schema: {
        operationId: 'listReports',
        summary: 'The reports that there are: what they count, and what you may ask of them.',
        tags,
        response: { 200: Reports },
      },
    },
    request => request.transact(reports.list),
  )
  app.get(
    url,
    {
      config: { permission: 'reports:read', audit: {}, problems: ['not-found', 'not-settled-yet'] },
      schema: {
        operationId: 'reportCampaignProgress',
        summary: 'How many were registered and documented in a campaign, as JSON or, if you accept it, as CSV.',
        tags,
        produces: ['text/csv'],
        querystring: CampaignProgressQuery,
        response: { 200: CampaignProgress },
      },
    },
    async (request, reply) => {
      const report = await request.transact(tx => reports.campaignProgress(tx, request.query))
      if (!/\btext\/csv\b/.test(request.headers.accept ?? '')) return report
      return reply.type('text/csv; charset=utf-8').send(asCsv(report) as never)
    },
  )
  app.get(
    `${url}/cases`,
    {
      config: { permission: 'reports:read', audit: ofPage, problems: ['not-settled-yet'] },
      schema: {
        operationId: 'listCampaignCases',
        summary: 'The cases behind a number of the report: exactly as many.',
        tags,
        querystring: CampaignCasesQuery,
        response: { 200: CasePage },
      },
    },
    (request, reply) => readPage(request, reply, tx => reports.campaignCases(tx, request.query)),
  )
}
