import type { Readable } from 'node:stream'
import type { Config } from '../../config.ts'
import type { Keys } from '../../platform/access/keys.ts'
import type { Routes } from '../../platform/http/contract.ts'
import { askedOf, once } from '../../platform/http/idempotency.ts'
import { Problem } from '../../problem.ts'
import { Job } from '../jobs/contract.ts'
import * as jobs from '../jobs/queries.ts'
import { ImportFile, ImportQuery } from './contract.ts'
import { takeIn } from './file.ts'
import * as imports from './queries.ts'
import type { ImportWorker } from './worker.ts'

/** Seconds that the upload of a file may take. */
const uploadTime = 3_600

export const importRoutes =
  (worker: ImportWorker, keys: Keys, { importLimit }: Pick<Config, 'importLimit'>): Routes =>
  async app => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload))

    app.post(
      '/v1/imports',
      {
        config: {
          permission: 'imports:create',
          audit: {},
          idempotency: 'accepted',
        },
        schema: {
          operationId: 'importRegistrations',
          summary: 'Imports the registrations of a campaign from a CSV file.',
          tags: ['Imports'],
          consumes: 'text/csv',
          querystring: ImportQuery,
          body: ImportFile,
          response: { 202: Job },
        },
      },
      async (request, reply) => {
        const { campaignId, dryRun } = request.query
        if (Number(request.headers['content-length']) > importLimit) throw new Problem('too-large')
        const received = await request.aside(tx => imports.create(tx, { campaignId, dryRun }, uploadTime))
        request.patient()
        try {
          let position = 0
          // Each piece has its own transaction, so that a slow upload holds none open.
          const file = await takeIn(request.body as Readable, importLimit, async piece => {
            const at = position++
            await request.aside(tx => imports.keepChunk(tx, keys, received, at, piece))
          })
          const fingerprint = app.fingerprint(
            Buffer.concat([file.sha256, Buffer.from(JSON.stringify(askedOf(request)))]),
          )
          const job = await request.transact(async tx => {
            const { resource, replayed } = await once(tx, request, fingerprint, {
              make: async () => {
                await imports.queue(tx, received, file)
                return received
              },
              location: id => id,
              read: jobs.find,
            })
            if (replayed) await imports.forget(tx, received)
            return resource
          })
          worker.wake()
          return await reply.code(202).header('location', `/v1/jobs/${job.id}`).send(job)
        } catch (error) {
          await request.aside(tx => imports.forget(tx, received)).catch(() => {})
          if (!request.raw.complete) reply.header('connection', 'close') // the rest of the body is not read
          throw error
        }
      },
    )
  }
