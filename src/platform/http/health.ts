import { z } from 'zod'
import { Problem, unavailable } from '../../problem.ts'
import type { Database } from '../db/database.ts'
import { opensStoredKeys } from '../db/sealed.ts'
import type { Routes } from './contract.ts'
import type { Readiness } from './readiness.ts'

const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health', examples: [{ status: 'ok' }] })

/**
 * Checks that the key file opens what the other processes write: after a rotation, a process with another copy of the file
 * needs the new one. It reads the file again by itself.
 */
export async function checkKeys(db: Database, readiness: Readiness): Promise<void> {
  const opens = await opensStoredKeys(db)
  readiness.note('keys', opens ? undefined : oldKeys)
}

const oldKeys = {
  shown: 'KEY_FILE is older than the data',
  logged:
    'KEY_FILE does not open the newest data of the database: copy the newest key file to it. This process reads it by itself',
}

/** Health checks for the operator: whether the process is alive, and whether it can serve requests. */
export const healthRoutes =
  (db: Database, readiness: Readiness): Routes =>
  async app => {
    app.get(
      '/health/live',
      {
        config: { permission: 'public', audit: 'nothing', rateLimit: false },
        schema: {
          operationId: 'getLiveness',
          summary: 'Reports that the process is alive.',
          tags: ['Service'],
          response: { 200: Health },
        },
      },
      async () => ({ status: 'ok' as const }),
    )
    app.get(
      '/health/ready',
      {
        config: { permission: 'public', audit: 'nothing', rateLimit: false },
        schema: {
          operationId: 'getReadiness',
          summary:
            'Reports whether the service can answer: 503 if the database is away, or the key file or the ledger does not fit it.',
          tags: ['Service'],
          response: { 200: Health },
        },
      },
      async () => {
        await checkKeys(db, readiness).catch(cause => Promise.reject(unavailable(cause)))
        const { reason } = readiness
        if (reason) throw new Problem('unavailable', { detail: reason, retryAfter: 60 })
        return { status: 'ok' as const }
      },
    )
  }
