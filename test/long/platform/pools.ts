import type { Service, Someone } from '../../support/service.ts'
import { password } from '../../support/service.ts'
import { type Operation, operations } from './document.ts'
import type { Draw } from './draw.ts'

type Account = Pick<Someone, 'email' | 'role' | 'organisation'>
/** A caller: what it may do as `GET /v1/me` says, its token, and how often this was sent. */
export type Person = { account: Account; token: string; sent: number; permissions: readonly string[] }

/** The field names that contain the id of something with another name. */
const kinds: Record<string, string> = {
  ...{ to: 'organisations', parent: 'organisations', owner: 'organisations', handler: 'organisations' },
  ...{ organisation: 'organisations', assignee: 'accounts', account: 'accounts', from: 'organisations' },
}

type Item = { id?: string; version?: number; code?: string }
type Told = { id?: string; items?: Item[]; list?: string }

/** What the service has told: ids by kind and by who was told them, tags, and values by the name of their field. */
export class Pools {
  readonly people: Person[] = []
  readonly tags = new Map<string, string>()
  readonly #ids = new Map<string, string[]>()
  readonly #parents = new Map<string, string>()
  readonly #seen = new Map<string, string[]>()
  readonly #service: Service
  /** Accounts that act here: they are not disabled and get no new enrolment code, or nobody would be left. */
  readonly acting = new Set<string>()

  constructor(service: Service) {
    this.#service = service
    for (const name of ['password', 'current', 'next']) this.#add(this.#seen, name, password)
    for (const { email } of service.demonstration) this.#add(this.#seen, 'email', email)
  }

  /** Signs a person in, again if the session has ended. */
  async signIn(account: Account, person?: Person): Promise<Person> {
    const someone = await this.#service.signedIn(account)
    const me = await someone.get('/v1/me')
    const permissions = me.statusCode === 200 ? me.json().permissions : []
    const signed = Object.assign(person ?? { account }, { token: someone.accessToken, sent: 0, permissions }) as Person
    if (!person) this.people.push(signed)
    this.acting.add(someone.account)
    return signed
  }

  #add(to: Map<string, string[]>, key: string, value: string) {
    const values = to.get(key) ?? []
    if (values.includes(value)) values.splice(values.indexOf(value), 1)
    to.set(key, [...values.slice(-59), value])
  }

  #ofKind = (kind: string, person?: Person) => this.#ids.get(person ? `${kind} ${person.account.email}` : kind) ?? []

  /** Returns an id for a place of a request: mostly one of the right kind that the caller knows. */
  id(draw: Draw, kind: string, person: Person | undefined, changes = false): string {
    const how = draw.below(100)
    const known = this.#ofKind(kind, how < 84 ? person : undefined)
    const fit = changes && kind === 'accounts' ? known.filter(id => !this.acting.has(id)) : known
    const other = how >= 95 ? this.#ofKind(draw.pick([...this.#ids.keys()])) : fit
    if (how === 94 || !other.length) return draw.uuid()
    const id = draw.chance(0.4) ? (other.at(-1) as string) : draw.pick(other)
    return draw.chance(0.1) ? id.toUpperCase() : id
  }

  idFor = (draw: Draw, name: string, person: Person | undefined) => {
    const stem = name.replace(/Id$/, '')
    return this.id(draw, kinds[stem] ?? `${stem}s`, person)
  }
  seen = (name: string): readonly string[] => this.#seen.get(name) ?? []
  parentOf = (id: string) => this.#parents.get(id)

  /** Keeps what a reply tells, for later requests. */
  learn(operation: Operation, url: string, person: Person | undefined, body: unknown, tag: string | undefined) {
    const [path = ''] = url.split('?')
    const segments = path.split('/').slice(2)
    const ids = segments.filter(segment => /^[\da-f-]{36}$/i.test(segment))
    const kind = segments.findLast(segment => !ids.includes(segment)) ?? ''
    if (tag && operation.method === 'GET') this.tags.set(path.toLowerCase(), tag)
    const { id, items, list } = (body ?? {}) as Told
    if (list) for (const { code = '' } of items ?? []) this.#add(this.#seen, `list ${list}`, code)
    const made = operation.method === 'POST' && operations.some(one => one.path === `${operation.path}/{id}`)
    for (const item of items ?? (made || id ? [{ id } as Item] : [])) {
      if (!item.id) continue
      const of = /^(imports)$/.test(kind) ? 'jobs' : /^(search|cases)$/.test(kind) ? 'cases' : kind
      const nested = !items && ids.length && !operation.path.endsWith('s')
      const at = nested ? (segments[0] as string) : of
      this.#add(this.#ids, at, item.id)
      if (person) this.#add(this.#ids, `${at} ${person.account.email}`, item.id)
      if (at === 'relations' && ids[0]) this.#parents.set(item.id, ids[0])
      if (item.version) this.tags.set(`/v1/${at}/${item.id}`, `"${item.version}"`)
    }
    this.#harvest(body, '')
  }

  #harvest(value: unknown, name: string) {
    if (typeof value === 'string') {
      if (value.length < 60 && !/^[\da-f-]{36}$/.test(value)) this.#add(this.#seen, name, value)
      if (name === 'enrolmentCode') this.#add(this.#seen, 'code', value)
    } else if (Array.isArray(value)) for (const one of value.slice(0, 40)) this.#harvest(one, name)
    else if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) this.#harvest(inner, key)
  }
}
