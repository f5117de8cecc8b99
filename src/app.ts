import Fastify from 'fastify'
import { accountRoutes } from './accounts/routes.ts'
import { auditRoutes } from './audit/routes.ts'
import { campaignRoutes } from './campaigns/routes.ts'
import { caseRoutes } from './cases/routes.ts'
import type { Config } from './config.ts'
import type { Database } from './db/database.ts'
import { decisionRoutes } from './decisions/routes.ts'
import { documentRoutes } from './documents/routes.ts'
import { eraseApproved } from './erasures/erase.ts'
import type { Ledger } from './erasures/ledger.ts'
import { erasureRoutes } from './erasures/routes.ts'
import { eventRoutes } from './events/routes.ts'
import { flagRoutes } from './flags/routes.ts'
import { grantRoutes } from './grants/routes.ts'
import { audit } from './http/audit.ts'
import { authenticate } from './http/authenticate.ts'
import { serializerCompiler, validatorCompiler, type ZodTypes } from './http/contract.ts'
import { apiDocumentRoutes, docs } from './http/docs.ts'
import { edge, serverOptions } from './http/edge.ts'
import { healthRoutes } from './http/health.ts'
import { idempotencyKeys } from './http/idempotency.ts'
import { logRequests, serializers } from './http/log.ts'
import { openapi } from './http/openapi.ts'
import { answerError, answerProblems } from './http/problems.ts'
import { Sweep } from './http/sweep.ts'
import { tokens } from './http/tokens.ts'
import { importRoutes } from './imports/routes.ts'
import { ImportWorker } from './imports/worker.ts'
import { jobRoutes } from './jobs/routes.ts'
import { lifecycleRoutes } from './lifecycle/routes.ts'
import { noteRoutes } from './notes/routes.ts'
import { apiDocument } from './openapi-document.ts'
import { organisationRoutes } from './organisations/routes.ts'
import { proposalRoutes } from './proposals/routes.ts'
import { referenceRoutes } from './reference/routes.ts'
import { expireReferrals } from './referrals/expire.ts'
import { referralRoutes } from './referrals/routes.ts'
import { relationRoutes } from './relations/routes.ts'
import { reportRoutes } from './reports/routes.ts'
import { retentionRoutes } from './retention/routes.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { taskRoutes } from './tasks/routes.ts'
import { transitionRoutes } from './transitions/routes.ts'
import { zoneRoutes } from './zones/routes.ts'

export type Parts = {
  db: Database
  ledger: Ledger
  config: Pick<Config, 'logLevel' | 'trustedProxies' | 'rateLimit' | 'importLimit'>
  /** Where the log goes; standard output by default. */
  log?: { write(line: string): void }
}

/** The whole service, ready to be listened to or injected into. */
export async function buildApp({ db, ledger, config, log }: Parts) {
  const { keys } = db
  const logger = { level: config.logLevel, serializers, base: null, ...(log && { stream: log }) }
  const app = Fastify({ ...serverOptions(config), logger, frameworkErrors: answerError }).withTypeProvider<ZodTypes>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)

  docs(app)
  answerProblems(app)
  logRequests(app)
  openapi(app, apiDocument)
  await tokens(app, keys)
  await edge(app, config)
  audit(app, db, keys)
  authenticate(app, db)
  idempotencyKeys(app, keys)

  const worker = new ImportWorker(db, keys, app.log)
  const expiry = new Sweep(() => expireReferrals(db), app.log, 'offers could not be ended')
  const eraser = new Sweep(() => eraseApproved(db, ledger), app.log, 'what was approved could not be erased')
  app.addHook('onListen', async () => {
    worker.start()
    expiry.start()
    eraser.start()
  })
  app.addHook('onClose', () => Promise.all([worker.close(), expiry.close(), eraser.close()]))

  await app.register(sessionRoutes(keys))
  await app.register(organisationRoutes)
  await app.register(accountRoutes)
  await app.register(referenceRoutes)
  await app.register(campaignRoutes)
  await app.register(lifecycleRoutes)
  await app.register(caseRoutes)
  await app.register(eventRoutes)
  await app.register(zoneRoutes)
  await app.register(grantRoutes)
  await app.register(relationRoutes)
  await app.register(transitionRoutes)
  await app.register(proposalRoutes)
  await app.register(referralRoutes)
  await app.register(decisionRoutes)
  await app.register(documentRoutes)
  await app.register(noteRoutes)
  await app.register(taskRoutes)
  await app.register(flagRoutes)
  await app.register(jobRoutes)
  await app.register(importRoutes(worker, keys, config))
  await app.register(reportRoutes)
  await app.register(erasureRoutes(eraser))
  await app.register(retentionRoutes(eraser))
  await app.register(auditRoutes)
  await app.register(healthRoutes(db))
  await app.register(apiDocumentRoutes)
  return app
}
