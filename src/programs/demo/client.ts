import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'

export type Job = {
  id: string
  state: string
  done: number
  registered: number
  existing: number
  rejectedRows: number
}

/** A REST client signed in with one account. Throws an error with the problem when the service refuses. */
export class Client {
  readonly email: string
  readonly #address: string
  /** The access token; empty before signing in. */
  readonly token: string

  private constructor(address: string, email: string, token: string) {
    this.#address = address
    this.email = email
    this.token = token
  }

  static async signIn(address: string, { email, password }: { email: string; password: string }): Promise<Client> {
    const { accessToken } = await new Client(address, email, '').post<{ accessToken: string }>('/v1/sessions', {
      email,
      password,
    })
    return new Client(address, email, accessToken)
  }

  get = <T>(path: string) => this.#send<T>(path, { method: 'GET' })

  /** `version`: the version of the resource it changes. */
  post = <T>(path: string, body: object, version?: number) =>
    this.#send<T>(
      path,
      { method: 'POST', body: JSON.stringify(body) },
      { 'content-type': 'application/json', ...(version !== undefined && { 'if-match': `"${version}"` }) },
    )

  upload = (path: string, file: Readable): Promise<Job> =>
    this.#send(path, { method: 'POST', body: Readable.toWeb(file) as ReadableStream, duplex: 'half' } as RequestInit, {
      'content-type': 'text/csv',
    })

  /** Returns a registration of yesterday, as an NGO sends it. */
  registration = () => ({
    externalId: `demo-${randomUUID()}`,
    regionCode: 'KZ-75',
    registeredOn: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10),
    category: 'ussr_passport_1974',
    causes: ['state_succession'],
    basis: { kind: 'consent', method: 'written', language: 'ru', formVersion: '2026-1' },
    person: {
      identity: {
        names: [{ kind: 'official', family: 'Әбдіғали', given: 'Қайрат', patronymic: 'Серікұлы' }],
        sex: 'male',
        birth: { precision: 'year', year: 1961 },
      },
    },
  })

  async #send<T>(path: string, init: RequestInit, headers: Record<string, string> = {}): Promise<T> {
    const authorization = this.token && { authorization: `Bearer ${this.token}` }
    const key = init.method === 'POST' && { 'idempotency-key': randomUUID() }
    const response = await fetch(this.#address + path, { ...init, headers: { ...headers, ...authorization, ...key } })
    const body = await response.json()
    if (!response.ok)
      throw new Error(`${init.method} ${path.split('?')[0]}: ${response.status} ${JSON.stringify(body)}`)
    return body as T
  }
}
