import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { IdParams, type Routes } from '../http/contract.ts'
import { once } from '../http/idempotency.ts'
import { ImportFile, ImportQuery, Job } from './contract.ts'
import * as imports from './queries.ts'
import type { ImportWorker } from './worker.ts'

const tags = ['Imports']
const chunkSize = 256 * 1024

export const importRoutes =
  (worker: ImportWorker): Routes =>
  async app => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload))

    app.post(
      '/v1/imports',
      {
        config: { permission: 'imports:create', idempotency: 'accepted', problems: ['unsupported-media-type'] },
        schema: {
          operationId: 'importRegistrations',
          summary: 'Import the registrations of a campaign from a CSV file.',
          tags,
          consumes: 'text/csv',
          querystring: ImportQuery,
          body: ImportFile,
          response: { 202: Job },
        },
      },
      async (request, reply) => {
        const { campaignId, dryRun } = request.query
        const received = await request.transact(tx => imports.create(tx, { campaignId, dryRun: dryRun === 'true' }))
        request.patient()
        try {
          const file = await receive(request, received)
          const fingerprint = app.fingerprint(Buffer.concat([file.sha256, Buffer.from(request.url)]))
          const job = await request.transact(async tx => {
            const { resource, replayed } = await once(tx, request, fingerprint, {
              make: async () => {
                await imports.queue(tx, received, file)
                return received
              },
              location: id => id,
              read: imports.find,
            })
            if (replayed) await imports.end(tx, received, 'failed', 'already-exists')
            return resource
          })
          worker.wake()
          return await reply.code(202).header('location', `/v1/jobs/${job.id}`).send(job)
        } catch (error) {
          await request.transact(tx => imports.end(tx, received, 'failed', 'invalid-request')).catch(() => {})
          throw error
        }
      },
    )
    app.get(
      '/v1/jobs/:id',
      {
        config: { permission: 'jobs:read' },
        schema: {
          operationId: 'getJob',
          summary: 'How far a job is, and what it came to.',
          tags,
          params: IdParams,
          response: { 200: Job },
        },
      },
      request => request.transact(tx => imports.find(tx, request.params.id)),
    )
  }

/** Keeps the file as it comes in, piece by piece, each in a transaction of its own: nothing waits for a slow line. */
async function receive(request: FastifyRequest, job: string): Promise<{ bytes: number; sha256: Buffer }> {
  const hash = createHash('sha256')
  let [bytes, position, pieces, size] = [0, 0, [] as Buffer[], 0]
  const keep = async () => {
    const content = Buffer.concat(pieces)
    pieces = []
    size = 0
    await request.transact(tx => imports.keepChunk(tx, job, position++, content))
  }
  for await (const piece of request.body as Readable as AsyncIterable<Buffer>) {
    hash.update(piece)
    bytes += piece.length
    size += piece.length
    pieces.push(piece)
    if (size >= chunkSize) await keep()
  }
  if (size) await keep()
  return { bytes, sha256: hash.digest() }
}
