import { stringify } from 'csv-stringify/sync'
import { CasePage } from '../../casefile/cases/contract.ts'
import { ofPage } from '../../platform/http/audit.ts'
import type { Routes } from '../../platform/http/contract.ts'
import { readPage } from '../../platform/http/replies.ts'
import { Reports } from './contract.ts'
import { reports } from './registry.ts'

const tags = ['Reports']
const permission = 'reports:read'

export const reportRoutes: Routes = async app => {
  app.get(
    '/v1/reports',
    {
      config: { permission, audit: 'nothing' },
      schema: {
        operationId: 'listReports',
        summary: 'Lists the reports: what each counts, and what you can ask for.',
        tags,
        response: { 200: Reports },
      },
    },
    request =>
      request.transact(async tx => ({
        items: await Promise.all(
          reports.map(async ({ definition, offers }) => ({ name: definition.id, definition, ...(await offers(tx)) })),
        ),
      })),
  )
  for (const { definition, operationId, summary, query, reply: figures, problems = [], run, rows, cases } of reports) {
    const url = `/v1/reports/${definition.id}`
    app.get(
      url,
      {
        config: { permission, audit: {}, problems: [...problems, 'not-settled-yet'] },
        schema: {
          operationId,
          summary,
          tags,
          produces: ['text/csv'],
          querystring: query,
          response: { 200: figures },
        },
      },
      async (request, reply) => {
        const report = await request.transact(tx => run(tx, request.query))
        if (!/\btext\/csv\b/.test(request.headers.accept ?? '')) return report
        // Escapes text that a spreadsheet would run as a formula.
        const csv = stringify(rows(report), { header: true, escape_formulas: true })
        return reply.type('text/csv; charset=utf-8').send(csv as never)
      },
    )
    app.get(
      `${url}/cases`,
      {
        config: { permission, audit: ofPage, problems: ['not-settled-yet'] },
        schema: {
          operationId: cases.operationId,
          summary: cases.summary,
          tags,
          querystring: cases.query,
          response: { 200: CasePage },
        },
      },
      (request, reply) => readPage(request, reply, tx => cases.run(tx, request.query)),
    )
  }
}
