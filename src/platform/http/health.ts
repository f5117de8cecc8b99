import { z } from 'zod'
import { unavailable } from '../../problem.ts'
import { type Database, enterNobody } from '../db/database.ts'
import type { Routes } from './contract.ts'

const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health', examples: [{ status: 'ok' }] })

/** Health checks for the operator: whether the process is alive, and whether it can serve requests. */
export const healthRoutes =
  (db: Database): Routes =>
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
          summary: 'Reports whether the service can answer: 503 if the database is away.',
          tags: ['Service'],
          response: { 200: Health },
        },
      },
      async () => {
        await db.transact(enterNobody, tx => tx.actor).catch(cause => Promise.reject(unavailable(cause)))
        return { status: 'ok' as const }
      },
    )
  }
