import { randomUUIDv7 } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../../problem.ts'
import type { Keys } from '../access/keys.ts'
import { type Database, enterNobody, withEntry } from '../db/database.ts'
import { type SQL, sql } from '../db/drizzle.ts'
import { writeEntry, writeRefusal } from '../db/entry.ts'

/** What an operation tells the audit log beyond the request: out of what it showed. */
type Audit = {
  /** Cases that were seen or changed, beside the one of the path. */
  cases?(shown: never): readonly string[]
  /** Zones that were opened; without it all that stood open. */
  zones?(shown: never): readonly string[]
  /** The body is what was looked for. */
  criteria?: true
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the operation tells the audit log; `nothing`: it shows nothing about anybody on file, and changes nothing. */
    audit?: 'nothing' | Audit
  }
  interface FastifyRequest {
    /** The entry that this request will have in the audit log; null where there is none. */
    entry: Entry | null
  }
}

/** Cases of a page, and of whatever else is known by its own id. */
export const ofPage = { cases: ({ items }: { items: readonly { id: string }[] }) => items.map(({ id }) => id) }
/** The case of what is known by an id of its own, if it has one; and those of a page of it. */
export const ofCase = { cases: ({ caseId }: { caseId: string | null }) => (caseId ? [caseId] : []) }
export const ofCases = {
  cases: ({ items }: { items: readonly { caseId: string | null }[] }) => items.flatMap(ofCase.cases),
}
/** The zones that a case was shown with. */
export const ofPerson = { zones: ({ person }: { person: object }) => Object.keys(person) }

/** Refuses to boot a route that does not declare what it audits. */
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

const isId = (text: unknown): text is string =>
  typeof text === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)

class Entry {
  readonly id = randomUUIDv7()
  /** It stands in the log. */
  done = false
  readonly #request: FastifyRequest
  readonly #audit: Audit
  readonly #db: Database
  readonly #keys: Keys
  /** Taken at once: of a connection that was cut nobody knows any more. */
  readonly #address: string
  #noted: Record<string, unknown> = {}

  constructor(request: FastifyRequest, audit: Audit, db: Database, keys: Keys) {
    this.#request = request
    this.#audit = audit
    this.#db = db
    this.#keys = keys
    this.#address = request.ip
  }

  /** Ids and codes that only the operation knows of. */
  note(more: Record<string, unknown>): void {
    this.#noted = { ...this.#noted, ...more }
  }

  /** The last statement of the transaction that did it, or that keeps what came of refusing it: then it shows a problem. */
  written(shown: unknown): SQL {
    if (shown instanceof Problem) return this.#refusal(shown)
    const { cases, zones } = this.#audit
    const seen = shown as never
    const said = {
      ...this.#ofRequest(),
      cases: [...new Set([...this.#asked(), ...(cases?.(seen) ?? [])])],
      ...(zones && { zones: zones(seen) }),
      ...this.#criteria(),
      ...this.#versions(shown),
    }
    return writeEntry(this.#operation, said)
  }

  /** For a statement that writes it itself: the arguments of its entry, which lacks what is shown. */
  begun(): SQL {
    const said = { ...this.#ofRequest(), cases: this.#asked(), ...this.#criteria() }
    return sql`${this.id}, ${this.#operation}, ${JSON.stringify(said)}::jsonb`
  }

  /** In a transaction of its own, because the other one left nothing behind. Not of those who said nothing of who they are. */
  async refuse(problem: Problem): Promise<void> {
    const { claims, routeOptions } = this.#request
    const { status } = problem.details
    if (this.done || status === 429 || status === 503 || (!claims && routeOptions.config.permission !== 'public'))
      return
    await this.#db.transact(
      withEntry(this.id, enterNobody),
      tx => tx.actor,
      () => this.#refusal(problem),
    )
    this.done = true
  }

  #refusal({ details: { status, type } }: Problem): SQL {
    const said = {
      ...this.#ofRequest(),
      cases: this.#asked(),
      ...(status !== 400 && this.#criteria()),
      ...this.#versions(),
    }
    return writeRefusal(this.#request.claims?.sid ?? null, this.#operation, type.slice('/problems/'.length), said)
  }

  get #operation() {
    return this.#request.routeOptions.schema?.operationId ?? ''
  }

  /** What the path names. */
  get #target(): string | undefined {
    const { id } = (this.#request.params ?? {}) as { id?: string }
    return isId(id) ? id : undefined
  }

  /** The case that the path names. */
  #asked(): string[] {
    const target = this.#target
    return target && this.#request.routeOptions.url?.startsWith('/v1/cases/:id') ? [target] : []
  }

  #ofRequest() {
    const { id: request } = this.#request
    const target = this.#target
    const address = this.#keys.hash('address', this.#address).toString('hex')
    return { request, address, ...(target && { target }), ...this.#noted }
  }

  /** By which fields was looked, and a keyed hash of for what: who looks for the same again can be told. */
  #criteria() {
    const { query, body } = this.#request
    const given = { ...(query as object), ...(this.#audit.criteria && (body as object)) }
    const fields = Object.keys(given).sort()
    if (!fields.length) return {}
    return { criteria: { fields, hash: this.#keys.hash('criteria', JSON.stringify(given, fields)).toString('hex') } }
  }

  #versions(shown?: unknown) {
    const [, before] = /^"(\d{1,9})"$/.exec(String(this.#request.headers['if-match'] ?? '')) ?? []
    if (before === undefined) return {}
    const { version, case: of } = (shown ?? {}) as { version?: number; case?: { version?: number } | null }
    return { versions: { before: Number(before), after: version ?? of?.version ?? null } }
  }
}
