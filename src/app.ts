import Fastify from 'fastify'
import { apiInfo } from './api-info.ts'
import { campaignRoutes } from './campaigns/campaigns/routes.ts'
import { reportRoutes } from './campaigns/reports/routes.ts'
import { caseRoutes } from './casefile/cases/routes.ts'
import { eventRoutes } from './casefile/events/routes.ts'
import { grantRoutes } from './casefile/grants/routes.ts'
import { relationRoutes } from './casefile/relations/routes.ts'
import { zoneRoutes } from './casefile/zones/routes.ts'
import type { Config } from './config.ts'
import { importRoutes } from './exchange/imports/routes.ts'
import { ImportWorker } from './exchange/imports/worker.ts'
import { jobRoutes } from './exchange/jobs/routes.ts'
import { auditRoutes } from './oversight/audit/routes.ts'
import { entrustCases } from './oversight/closing/entrust.ts'
import { closingRoutes } from './oversight/closing/routes.ts'
import { confirmationRoutes } from './oversight/confirmations/routes.ts'
import { sweepErasures } from './oversight/erasures/erase.ts'
import type { Ledger } from './oversight/erasures/ledger.ts'
import { erasureRoutes } from './oversight/erasures/routes.ts'
import { retentionRoutes } from './oversight/retention/routes.ts'
import { accountRoutes } from './people/accounts/routes.ts'
import { organisationRoutes } from './people/organisations/routes.ts'
import { secondFactorRoutes } from './people/second-factors/routes.ts'
import { sessionRoutes } from './people/sessions/routes.ts'
import type { Database } from './platform/db/database.ts'
import { openapi } from './platform/http/api-document.ts'
import { audit } from './platform/http/audit.ts'
import { authenticate } from './platform/http/authenticate.ts'
import { conditional } from './platform/http/conditional.ts'
import { content } from './platform/http/content.ts'
import { contracts, type ZodTypes } from './platform/http/contract.ts'
import { docs } from './platform/http/docs.ts'
import { edge, serverOptions } from './platform/http/edge.ts'
import { checkKeys, healthRoutes } from './platform/http/health.ts'
import { idempotencyKeys } from './platform/http/idempotency.ts'
import { logRequests, serializers } from './platform/http/log.ts'
import { methods } from './platform/http/methods.ts'
import { answerProblems } from './platform/http/problems.ts'
import { Readiness } from './platform/http/readiness.ts'
import { Sweep } from './platform/http/sweep.ts'
import { tokens } from './platform/http/tokens.ts'
import { answerUnrouted } from './platform/http/unread.ts'
import { proposalRoutes } from './procedure/proposals/routes.ts'
import { expireReferrals } from './procedure/referrals/expire.ts'
import { referralRoutes } from './procedure/referrals/routes.ts'
import { transitionRoutes } from './procedure/transitions/routes.ts'
import { lifecycleRoutes } from './rules/lifecycle/routes.ts'
import { referenceRoutes } from './rules/reference/routes.ts'
import { flagRoutes } from './work/flags/routes.ts'
import { noteRoutes } from './work/notes/routes.ts'
import { taskRoutes } from './work/tasks/routes.ts'

export type Parts = {
  db: Database
  ledger: Ledger
  config: Pick<Config, 'logLevel' | 'trustedProxies' | 'rateLimit' | 'importLimit'>
  /** Where the log goes; standard output by default. */
  log?: { write(line: string): void }
}

/** Builds the whole service; the caller listens or injects requests. */
export async function buildApp({ db, ledger, config, log }: Parts) {
  const { keys } = db
  const logger = { level: config.logLevel, serializers, base: null, ...(log && { stream: log }) }
  const app = Fastify({
    ...serverOptions(config),
    logger,
    frameworkErrors: answerUnrouted,
  }).withTypeProvider<ZodTypes>()

  contracts(app)
  answerProblems(app)
  logRequests(app)
  openapi(app, apiInfo)
  await tokens(app, keys, db.clock)
  await edge(app, config)
  methods(app)
  audit(app, db, keys)
  authenticate(app, db)
  idempotencyKeys(app, keys)
  conditional(app)
  content(app)

  const worker = new ImportWorker(db, keys, app.log)
  const expiry = new Sweep(() => expireReferrals(db), app.log, 'expiring offers failed')
  const readiness = new Readiness(app.log)
  const eraser = new Sweep(() => sweepErasures(db, ledger, readiness), app.log, 'erasing after approval failed')
  const entrusting = new Sweep(() => entrustCases(db), app.log, 'giving cases to the custodian failed')
  const watch = new Sweep(
    () => Promise.all([checkKeys(db, readiness), db.readClock()]),
    app.log,
    'checking the key file and reading the clock failed',
  )
  app.addHook('onListen', async () => {
    worker.start()
    expiry.start()
    eraser.start()
    entrusting.start()
    watch.start()
  })
  app.addHook('onClose', () => Promise.all([worker, expiry, eraser, entrusting, watch].map(work => work.close())))

  await app.register(sessionRoutes(keys))
  await app.register(secondFactorRoutes)
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
  await app.register(noteRoutes)
  await app.register(taskRoutes)
  await app.register(flagRoutes)
  await app.register(jobRoutes)
  await app.register(importRoutes(worker, keys, config))
  await app.register(reportRoutes)
  await app.register(erasureRoutes(eraser))
  await app.register(retentionRoutes(eraser))
  await app.register(confirmationRoutes(eraser))
  await app.register(closingRoutes)
  await app.register(auditRoutes)
  await app.register(healthRoutes(db, readiness))
  await docs(app)
  return app
}
