import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import postgres from 'postgres'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { Ledger } from '../../src/oversight/erasures/ledger.ts'
import { passingKeys } from '../../src/platform/access/keys.ts'
import { type Permission, permissions, type Role } from '../../src/platform/access/permissions.ts'
import { enterSession, withEntry } from '../../src/platform/db/admission.ts'
import { Database, type Tx } from '../../src/platform/db/database.ts'
import { writeEntry } from '../../src/platform/db/entry.ts'
import type { AccessToken } from '../../src/platform/http/tokens.ts'
import { type Demonstration, seedDemonstration } from '../../src/programs/demonstration-accounts.ts'
import { everyRequestHasItsEntry } from './entries.ts'
import { checkRows } from './rows.ts'
import { socket } from './socket.ts'

/** The password of every demonstration account, and its hash: at the least cost, so that no test waits for it. */
export const password = 'the password of the demonstration'
export const passwordHash =
  '$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$04GfKQ8Z1piWjQcNZhbh2uwMyGDm7xiI9DMlFUglLFc'

/** Creates a migrated and seeded database for the test and drops it at the end. */
export async function startDatabase(
  t: Pick<Test, 'teardown'>,
  { template = process.env.TEMPLATE ?? 'template_app', size = 4, keys = passingKeys() } = {},
) {
  const database = `test_${randomUUID().replaceAll('-', '')}`
  const admin = postgres({ host: socket, database: 'postgres', user: 'postgres', max: 1, onnotice() {} })
  await admin.unsafe(`create database ${database} owner owner template ${template} strategy file_copy`)
  const endpoint = (user: string) => ({ host: socket, database, user })
  const owner = postgres({ ...endpoint('owner'), max: 1, onnotice() {} })
  const superuser = postgres({ ...endpoint('postgres'), max: 1, onnotice() {} })
  const db = new Database(endpoint('app'), keys, { size, watch: checkRows })
  t.teardown(async () => {
    await Promise.all([db.close(), owner.end({ timeout: 1 }), superuser.end({ timeout: 1 })])
    await admin.unsafe(`drop database ${database} with (force)`)
    await admin.end()
  })
  return { db, keys, owner, superuser, endpoint }
}

/** Creates a ledger for the test and removes it at the end. */
export function ledgerOf(t: Pick<Test, 'teardown'>, keys = passingKeys()): Ledger {
  const path = join(tmpdir(), `ledger-${randomUUID()}.jsonl`)
  Ledger.create(path)
  t.teardown(() => rmSync(path))
  return new Ledger(path, keys)
}

export type Headers = Record<string, string>

/** Builds the service on a database for the test, with the demonstration accounts; `lines` are what it logged. */
export async function startService(
  t: Pick<Test, 'teardown'>,
  { rateLimit = 1_000_000, importLimit = 4_000_000, alone = true, keys = passingKeys() } = {},
) {
  const { db, owner, superuser, endpoint } = await startDatabase(t, { keys })
  const demonstration = await seedDemonstration(endpoint('owner'), password, passwordHash, keys)
  const lines: string[] = []
  const log = { write: (line: string) => void lines.push(line) }
  const ledger = ledgerOf(t, keys)
  const app = await buildApp({
    db,
    ledger,
    config: { logLevel: 'info', trustedProxies: [], rateLimit, importLimit },
    log,
  })
  const watch = everyRequestHasItsEntry(t, superuser, { alone })
  watch(app)
  t.teardown(() => app.close())

  const organisation = (name: string) => {
    const found = demonstration.find(({ email }) => email.endsWith(`@${name}.example`))
    if (!found) throw new Error(`no organisation ${name}`)
    return found.organisation
  }

  /** Signs in the demonstration account with this role in this organisation; `which` if there are several. */
  const as = async (role: Role, name: string, which = 0) => {
    const found = demonstration.filter(
      account => account.role === role && account.organisation.id === organisation(name).id,
    )[which]
    if (!found) throw new Error(`no ${role} in ${name}`)
    return signedIn(found)
  }

  /** Signs in the account of somebody, without a password. */
  const signedIn = async (found: Pick<Demonstration[number], 'email' | 'role' | 'organisation'>) => {
    const [session] = await owner`insert into sessions (account_id, ends_at)
      select id, now() + interval '1 day' from accounts where email = ${found.email} returning id, account_id`
    const tokenOf = renewed(() => app.tokens.issue(session?.account_id, session?.id))
    const send =
      (method: InjectOptions['method'] & string) =>
      (url: string, payload?: object | string, headers: Headers = {}) =>
        app.inject({
          method: method as 'GET',
          url,
          headers: { authorization: `Bearer ${tokenOf()}`, ...headers },
          ...(payload !== undefined && { payload }),
        })
    return {
      email: found.email,
      account: session?.account_id as string,
      session: session?.id as string,
      organisation: found.organisation,
      role: found.role,
      accessToken: tokenOf(),
      send,
      get: send('GET'),
      post: send('POST'),
      put: send('PUT'),
      patch: send('PATCH'),
      delete: send('DELETE'),
    }
  }
  /** Sets the clock of the database to so many days later; sessions stay valid. */
  const travel = async (days: number) => {
    await owner`update sessions set ends_at = ends_at + make_interval(days => ${days + 1})`
    await owner.unsafe(`create or replace function app.now() returns timestamptz language sql stable
      return statement_timestamp() + interval '${days} days'`)
  }
  /** Runs `work` in a transaction of this session, as a request does. */
  const workAs = <T>({ session }: { session: string }, permission: Permission, work: (tx: Tx) => Promise<T>) =>
    db.transact(withEntry(randomUUID(), enterSession(session, permissions[permission])), work, () =>
      writeEntry('test', { cases: [] }),
    )
  return {
    app,
    db,
    ledger,
    keys,
    owner,
    superuser,
    endpoint,
    demonstration,
    organisation,
    as,
    signedIn,
    lines,
    travel,
    workAs,
    watch,
  }
}

/** Returns a function that returns an access token, and a new one each time half of its life has passed. */
function renewed(issue: () => AccessToken): () => string {
  let [token, until] = ['', 0]
  return () => {
    if (performance.now() >= until) {
      const { accessToken, expiresIn } = issue()
      ;[token, until] = [accessToken, performance.now() + (expiresIn / 2) * 1_000]
    }
    return token
  }
}

export type Service = Awaited<ReturnType<typeof startService>>
export type Someone = Awaited<ReturnType<Service['as']>>

export const idempotencyKey = (): Headers => ({ 'idempotency-key': randomUUID() })
export const ifMatch = (version: number): Headers => ({ 'if-match': `"${version}"` })

/** Returns a registration, as an NGO sends it. */
export const registration = (family = 'Әбдіғали') => ({
  regionCode: 'KZ-75',
  registeredOn: '2021-03-04',
  category: 'ussr_passport_1974',
  causes: ['state_succession'],
  basis: { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1' },
  person: {
    identity: {
      names: [{ kind: 'official', family, given: 'Қайрат' }],
      sex: 'male',
      birth: { precision: 'year', year: 1961 },
    },
  },
})

/** Returns a registration, as an authority sends it. */
export const intake = (family?: string) => ({
  ...registration(family),
  basis: { kind: 'statute', legalReference: 'order_607' },
})
