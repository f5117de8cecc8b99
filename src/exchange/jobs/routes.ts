import { pipeline, Readable } from 'node:stream'
import { stringify } from 'csv-stringify'
import type { FastifyRequest } from 'fastify'
import { IdParams, type Routes } from '../../platform/http/contract.ts'
import { readPage } from '../../platform/http/replies.ts'
import { Job, JobPage, JobQuery, type Rejected, RejectedFile } from './contract.ts'
import * as jobs from './queries.ts'

const tags = ['Jobs']
/** Faults that are read at once. */
const pageSize = 1_000

export const jobRoutes: Routes = async app => {
  app.get(
    '/v1/jobs',
    {
      config: { permission: 'jobs:read', audit: {} },
      schema: {
        operationId: 'listJobs',
        summary: 'Lists your jobs, newest first.',
        tags,
        querystring: JobQuery,
        response: { 200: JobPage },
      },
    },
    (request, reply) => readPage(request, reply, tx => jobs.list(tx, request.query)),
  )
  app.get(
    '/v1/jobs/:id',
    {
      config: { permission: 'jobs:read', audit: {} },
      schema: {
        operationId: 'getJob',
        summary: 'Returns the progress and the result of a job.',
        tags,
        params: IdParams,
        response: { 200: Job },
      },
    },
    request => request.transact(tx => jobs.find(tx, request.params.id)),
  )
  app.get(
    '/v1/jobs/:id/rejected',
    {
      config: { permission: 'jobs:read', audit: {} },
      schema: {
        operationId: 'downloadRejected',
        summary: 'Returns all faults of the rows, as CSV.',
        tags,
        params: IdParams,
        produces: ['text/csv'],
        response: { 200: RejectedFile },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      await request.transact(tx => jobs.find(tx, id))
      const file = stringify({ header: true, columns: ['line', 'field', 'reason'], escape_formulas: true })
      pipeline(Readable.from(allFaults(request, id)), file, () => {}) // a failure ends the reply and is logged
      return reply.type('text/csv; charset=utf-8').send(file as never)
    },
  )
  app.post(
    '/v1/jobs/:id/cancellation',
    {
      config: { permission: 'jobs:cancel', audit: {}, problems: ['job-over'] },
      schema: {
        operationId: 'cancelJob',
        summary: 'Cancels a job. What it has stored so far is kept.',
        tags,
        params: IdParams,
        response: { 200: Job },
      },
    },
    request => request.transact(tx => jobs.cancel(tx, request.params.id)),
  )
}

async function* allFaults(request: FastifyRequest, id: string): AsyncGenerator<Rejected> {
  let last: Rejected | undefined = { line: 0, field: '', reason: '' }
  while (last) {
    const after: Rejected = last
    const page = await request.aside(tx => jobs.faults(tx, id, after, pageSize))
    yield* page
    last = page.at(-1)
  }
}
