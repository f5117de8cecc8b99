import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { invalid, Problem } from '../../problem.ts'
import type { Keys } from '../access/keys.ts'
import type { Tx } from '../db/database.ts'
import { and, customType, eq, integer, pgTable, sql, text, timestamp, uuid } from '../db/drizzle.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a POST takes an `Idempotency-Key`, or must have one. */
    idempotency?: 'accepted' | 'required'
  }
  interface FastifyInstance {
    fingerprint: (content: string | Uint8Array) => Buffer
  }
}

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
export const idempotency = pgTable('idempotency', {
  accountId: uuid().notNull().default(sql`app.account()`),
  operation: text().notNull(),
  key: text().notNull(),
  fingerprint: bytea().notNull(),
  status: integer(),
  location: text(),
  at: timestamp({ withTimezone: true }).notNull().default(sql`app.now()`),
})

const Key = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\x21-\x7e]+$/)

export function idempotencyKeys(app: FastifyInstance, keys: Keys) {
  app.decorate('fingerprint', content => keys.hash('fingerprint', content))
  app.addHook('preHandler', async request => {
    if (request.routeOptions.config.idempotency === 'required' && request.headers['idempotency-key'] === undefined)
      throw new Problem('idempotency-key-required')
  })
}

/** How a POST makes a resource: `make` returns its id, `read` reads it for the reply; a repeated reply has the same status. */
export type Making<T> = {
  status?: 200 | 201
  make: (tx: Tx) => Promise<string>
  location?: (id: string) => string
  /** The contract of the resource that is at the location, if the reply contains more than that. */
  of?: z.ZodType
  read: (tx: Tx, id: string) => Promise<T>
}

/** What a request asks for, besides its body: after validation, so that another spelling of an id is the same request. */
export const askedOf = ({ routeOptions, params, query }: FastifyRequest) => [routeOptions.url, params, query]

/**
 * Makes a resource, at most once for a key, and returns it. A second request with the same key and body gets the same
 * status and location, and the resource as it is now; with another body it is refused.
 */
export async function makeOnce<T>(request: FastifyRequest, reply: FastifyReply, making: Making<T>): Promise<T> {
  const fingerprint = request.server.fingerprint(JSON.stringify([askedOf(request), request.body ?? null]))
  const made = await request.transact(
    tx => once(tx, request, fingerprint, making),
    ({ resource }) => resource,
  )
  reply.code(making.status ?? 201)
  if (made.location) reply.header('location', made.location)
  return made.resource
}

/** The transaction of {@link makeOnce}, for a caller that computes the fingerprint of the body itself. */
export async function once<T>(
  tx: Tx,
  request: FastifyRequest,
  fingerprint: Buffer,
  { status = 201, make, location, read }: Making<T>,
) {
  const key = keyOf(request)
  const operation = request.routeOptions.schema?.operationId ?? request.routeOptions.url ?? ''
  const before = key === undefined ? undefined : await claim(tx, { operation, key, fingerprint })
  const id = before ?? (await make(tx))
  const [resource] = await Promise.all([
    read(tx, id),
    key !== undefined &&
      before === undefined &&
      tx.update(idempotency).set({ status, location: id }).where(mine(operation, key)),
  ])
  return { location: location?.(id), resource, replayed: before !== undefined }
}

function keyOf(request: FastifyRequest) {
  const given = request.headers['idempotency-key']
  if (given === undefined) return undefined
  const key = Key.safeParse(given)
  if (key.success) return key.data
  throw invalid([{ pointer: '#/headers/idempotency-key', detail: 'Expected 1 to 200 visible ASCII characters' }])
}

const mine = (operation: string, key: string) =>
  and(eq(idempotency.accountId, sql`app.account()`), eq(idempotency.operation, operation), eq(idempotency.key, key))

/** Claims the key, or returns the id of the resource made with it before. Waits for a running request with the same key. */
async function claim(
  tx: Tx,
  row: { operation: string; key: string; fingerprint: Buffer },
): Promise<string | undefined> {
  const [taken] = await tx
    .insert(idempotency)
    .values(row)
    .onConflictDoUpdate({
      target: [idempotency.accountId, idempotency.operation, idempotency.key],
      set: { fingerprint: row.fingerprint, status: null, location: null, at: sql`app.now()` },
      setWhere: sql`idempotency.at < app.now() - app.term('idempotency_key')`,
    })
    .returning({ key: idempotency.key })
  if (taken) return undefined
  const [before] = await tx.select().from(idempotency).where(mine(row.operation, row.key))
  if (!before?.fingerprint.equals(row.fingerprint)) throw new Problem('idempotency-key-reused')
  await tx.execute(sql`select app.begin_repeat()`)
  return before.location ?? undefined
}
