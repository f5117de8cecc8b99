import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { Problem } from '../../problem.ts'
import type { ProblemName } from '../../problems.ts'
import { idAt } from '../access/id.ts'
import type { Keys } from '../access/keys.ts'
import { enterNobody, withEntry } from '../db/admission.ts'
import type { Database } from '../db/database.ts'
import { type SQL, sql } from '../db/drizzle.ts'
import { writeEntry, writeRefusal } from '../db/entry.ts'
import { versionIn } from './conditional.ts'
import { Id } from './contract.ts'

/** What an operation adds to its audit entry besides the request, taken from the reply. */
type Audit = {
  /** Cases that were shown or changed, besides the one in the path. */
  cases?(shown: never): readonly string[]
  /** Zones that were shown; without this function, all zones open to the caller. */
  zones?(shown: never): readonly string[]
  /** The body contains search criteria. */
  criteria?: true
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the operation records in the audit log; `nothing`: it shows nothing about a person on file and changes nothing. */
    audit?: 'nothing' | Audit
  }
  interface FastifyRequest {
    /** The audit entry of this request; null if it writes none. */
    entry: Entry | null
  }
}

/** The cases of a page whose items have the ids of cases. */
export const ofPage = { cases: ({ items }: { items: readonly { id: string }[] }) => items.map(({ id }) => id) }
/** The case of a resource that has a `caseId`, if it is not null; `ofCases`: the cases of a page of such resources. */
export const ofCase = { cases: ({ caseId }: { caseId: string | null }) => (caseId ? [caseId] : []) }
export const ofCases = {
  cases: ({ items }: { items: readonly { caseId: string | null }[] }) => items.flatMap(ofCase.cases),
}
/** The zones of the person that the reply contains. */
export const ofPerson = { zones: ({ person }: { person: object }) => Object.keys(person) }

/** Makes an audit entry for each request. Throws at start for a route that does not declare what it audits. */
export function audit(app: FastifyInstance, db: Database, keys: Keys) {
  app.decorateRequest('entry', null)
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.audit && !config?.hidden) throw new Error(`${String(method)} ${url} does not declare what it audits`)
  })
  app.addHook('onRequest', async request => {
    const { audit = 'nothing' } = request.routeOptions.config
    if (audit !== 'nothing') request.entry = new Entry(request, audit, db, keys)
  })
}

/** Who sends too many requests must not make the service write as many entries. */
const tooManyRequests = `/problems/${'too-many-requests' satisfies ProblemName}`

/** Whether it is an id by the contract: an auditor reads it in an entry. */
const isId = (text: unknown): text is string => Id.safeParse(text).success

class Entry {
  readonly id: string
  /** The entry is in the audit log. */
  done = false
  readonly #request: FastifyRequest
  readonly #audit: Audit
  readonly #db: Database
  readonly #keys: Keys
  /** Read at once: after a connection is cut its address is unknown. */
  readonly #address: string
  #noted: Record<string, unknown> = {}

  constructor(request: FastifyRequest, audit: Audit, db: Database, keys: Keys) {
    this.id = idAt(db.clock.now())
    this.#request = request
    this.#audit = audit
    this.#db = db
    this.#keys = keys
    this.#address = request.ip
  }

  /** Adds ids and codes that only the operation has. An entry has no field for what is null. */
  note(more: Record<string, unknown>): void {
    const known = Object.entries(more).filter(([, value]) => value !== null)
    this.#noted = { ...this.#noted, ...Object.fromEntries(known) }
  }

  /**
   * Returns the last statement of the transaction, which writes the entry. `shown`: the reply; a {@link Problem} if the
   * transaction records a refusal.
   */
  written(shown: unknown): SQL {
    if (shown instanceof Problem) return this.#refusal(shown)
    const { cases, zones } = this.#audit
    const seen = shown as never
    const content = {
      ...this.#ofRequest(),
      cases: [...new Set([...this.#caseOfPath(), ...(cases?.(seen) ?? [])])],
      ...(zones && { zones: zones(seen) }),
      ...this.#criteria(),
      ...this.#versions(shown),
    }
    return writeEntry(this.#operation, content)
  }

  /** For a statement that writes the entry itself: the arguments of the entry, without what the reply shows. */
  begun(): SQL {
    const content = { ...this.#ofRequest(), cases: this.#caseOfPath(), ...this.#criteria() }
    return sql`${this.id}, ${this.#operation}, ${JSON.stringify(content)}::jsonb`
  }

  /**
   * Records a refusal in a transaction of its own, because that of the request was rolled back. Records nothing for 503 and
   * for too many requests, nor for callers without an access token, except on public routes.
   */
  async refuse(problem: Problem): Promise<void> {
    const { claims, routeOptions } = this.#request
    const { status, type } = problem.details
    if (
      this.done ||
      type === tooManyRequests ||
      status === 503 ||
      (!claims && routeOptions.config.permission !== 'public')
    )
      return
    await this.#db.transact(
      withEntry(this.id, enterNobody),
      tx => tx.actor,
      () => this.#refusal(problem),
    )
    this.done = true
  }

  #refusal({ details: { status, type }, concerns }: Problem): SQL {
    const content = {
      ...this.#ofRequest(),
      cases: [...this.#caseOfPath(), ...(concerns ? [concerns] : [])],
      ...(status !== 400 && this.#criteria()),
      ...this.#versions(),
    }
    return writeRefusal(this.#request.claims?.sid ?? null, this.#operation, type.slice('/problems/'.length), content)
  }

  get #operation() {
    return this.#request.routeOptions.schema?.operationId ?? ''
  }

  /** The id in the path. */
  get #target(): string | undefined {
    const { id } = (this.#request.params ?? {}) as { id?: string }
    return isId(id) ? id.toLowerCase() : undefined
  }

  /** The case in the path, if there is one. */
  #caseOfPath(): string[] {
    const target = this.#target
    return target && this.#request.routeOptions.url?.startsWith('/v1/cases/:id') ? [target] : []
  }

  #ofRequest() {
    const { id: request } = this.#request
    const target = this.#target
    const address = this.#keys.hash('address', this.#address).toString('hex')
    return { request, address, ...(target && { target }), ...this.#noted }
  }

  /**
   * The fields of the search, and a keyed hash of their values: repeated searches for the same values have the same hash.
   * Only names of the contract: a caller could have written anything into others.
   */
  #criteria() {
    const { query, body, routeOptions } = this.#request
    const { querystring, body: searched } = (routeOptions.schema ?? {}) as Record<string, z.ZodObject | undefined>
    const known = { ...querystring?.shape, ...(this.#audit.criteria && searched?.shape) }
    const given = { ...(query as object), ...(this.#audit.criteria && (body as object)) }
    const fields = Object.keys(given)
      .filter(field => field in known)
      .sort()
    if (!fields.length) return {}
    return { criteria: { fields, hash: this.#keys.hash('criteria', JSON.stringify(given, fields)).toString('hex') } }
  }

  #versions(shown?: unknown) {
    const before = versionIn(this.#request)
    if (before === undefined) return {}
    const { version, case: of } = (shown ?? {}) as { version?: number; case?: { version?: number } | null }
    return { versions: { before, after: version ?? of?.version ?? null } }
  }
}
