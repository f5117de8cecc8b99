import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { unauthorized } from '../../problem.ts'
import type { Keys } from '../access/keys.ts'
import { type Permission, permissions } from '../access/permissions.ts'
import { type Admission, enterNobody, enterSession, withEntry } from '../db/admission.ts'
import type { Database, Tx } from '../db/database.ts'
import { type SQL, sql } from '../db/drizzle.ts'
import type { Claims } from './tokens.ts'

/** The most frequent reads run as one statement, which is the whole transaction. */
export type Asking = {
  /**
   * Runs `statement`, made from the arguments by which it admits the caller and writes the audit entry (see
   * `app.read_case`).
   */
  ask<Row extends z.ZodObject>(row: Row, statement: (caller: SQL) => SQL): Promise<z.output<Row>[]>
  /** The keys that open the sealed columns of its rows. */
  keys: Keys
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The permission that the caller needs; `public`: none, for signing in and for what everybody may read. */
    permission?: Permission | 'public'
  }
  interface FastifyRequest extends Asking {
    claims: Claims | null
    /**
     * Runs `work` in the one transaction of this request, which sees what the caller may see. It ends by writing the
     * audit entry, made from what `shown` returns for the value.
     */
    transact<T>(work: (tx: Tx) => Promise<T>, shown?: (value: T) => unknown): Promise<T>
    /** Runs `work` in another transaction, which reads no case and has no audit entry. */
    aside<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  }
}

/** Refuses to boot a route that declares no permission, and to serve a caller without a token. */
export function authenticate(app: FastifyInstance, db: Database) {
  app.decorateRequest('claims', null)
  app.decorateRequest('transact', async function (this: FastifyRequest, work, shown = value => value) {
    const { entry } = this
    if (!entry) return db.transact(admissionOf(this), work)
    const value = await db.transact(withEntry(entry.id, admissionOf(this)), work, value => entry.written(shown(value)))
    entry.done = true
    return value
  })
  app.decorateRequest('ask', async function (this: FastifyRequest, row, statement) {
    const { entry } = this
    if (!entry) throw new Error("request.ask was called on a route with audit: 'nothing'")
    const { session, offices, account } = callerOf(this)
    const caller = sql`${session}, ${sql.param(offices)}, ${entry.begun()}`
    const rows = await db.ask(row, statement(caller), account)
    entry.done = true
    return rows as never[]
  })
  app.decorateRequest('keys', { getter: () => db.keys })
  app.decorateRequest('aside', function (this: FastifyRequest, work) {
    return db.transact(admissionOf(this), work)
  })
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.permission) throw new Error(`${String(method)} ${url} declares no permission`)
  })
  // After the rate limits, so that they count invalid tokens too, and before the body is read.
  app.addHook('preParsing', async request => {
    if (request.is404 || request.routeOptions.config.permission === 'public') return
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (!token) throw unauthorized()
    request.claims = app.tokens.verify(token)
  })
}

/**
 * The database looks up the session and its rights in the first round trip of the transaction; the token only names
 * them.
 */
function admissionOf(request: FastifyRequest): Admission {
  if (request.routeOptions.config.permission === 'public') return enterNobody
  const { session, offices, account } = callerOf(request)
  const self = request.routeOptions.config.permission === 'self:manage'
  return enterSession(session, offices, { self, account })
}

function callerOf({ claims, routeOptions }: FastifyRequest) {
  const { permission } = routeOptions.config
  if (!claims || !permission || permission === 'public') throw unauthorized()
  return { session: claims.sid, account: claims.sub, offices: permissions[permission] }
}
