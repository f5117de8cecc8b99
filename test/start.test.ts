import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { passingKeys } from '../src/access/keys.ts'
import { kindsOf } from '../src/access/permissions.ts'
import { buildApp } from '../src/app.ts'
import type { Demonstration } from '../src/demonstration.ts'
import { startDatabase } from './support/service.ts'
import { socket } from './support/socket.ts'

type As = { uid?: number; gid?: number }

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const nobody = { uid: 65534, gid: 65534 }
const root = process.getuid?.() === 0
const children: ChildProcess[] = []
const folders: string[] = []
const strong = 'four words of my own'

/** A folder that everybody can pass through, unless told otherwise. */
function folder(mode = 0o711) {
  const path = mkdtempSync(join(tmpdir(), 'qujat-start-'))
  chmodSync(path, mode)
  folders.push(path)
  return path
}

/** A program of the service, with this environment and nothing of the test's own. */
function run(program: string, environment: Record<string, string> = {}, args: string[] = [], as: As = {}) {
  const { PATH = '', TMPDIR = '' } = process.env
  const env = { PATH, ...(TMPDIR && { TMPDIR }), PORT: '0', METRICS_PORT: '0', ...environment }
  const command = ['-u', 'NODE_OPTIONS', process.execPath, at(program), ...args] // tap would put itself in there
  const child = spawn('env', command, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], ...as })
  children.push(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', chunk => (said.out += chunk))
  child.stderr.on('data', chunk => (said.err += chunk))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }))
  return { child, said, ended }
}

/** The service when its first screen is complete. */
async function start(dataDir: string, as: As = {}) {
  const service = run('src/server.ts', { DATA_DIR: dataDir }, [], as)
  const screen = new Promise<string>(resolve => {
    service.child.stdout.on('data', () => service.said.out.includes('Ctrl-C') && resolve(service.said.out))
  })
  const told = await Promise.race([screen, service.ended.then(({ err }) => Promise.reject(new Error(err)))])
  return { ...service, screen: told, address: /Service +(http:\S+)/.exec(told)?.[1] ?? '' }
}

const signIn = (address: string, { email, password }: { email: string; password: string }) =>
  fetch(`${address}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })

const accountsOf = (dataDir: string): Demonstration =>
  JSON.parse(readFileSync(join(dataDir, 'demonstration.json'), 'utf8'))

const accountOf = (dataDir: string, which: number) => {
  const account = accountsOf(dataDir)[which]
  if (!account) throw new Error('no such account')
  return account
}

const postmaster = (dataDir: string) => join(dataDir, 'postgres', 'postmaster.pid')
const pidOf = (dataDir: string) => Number(readFileSync(postmaster(dataDir), 'utf8').split('\n')[0])

const oneLine = (t: Test, { code, err }: { code: number | null; err: string }, about: RegExp) => {
  t.equal(code, 1)
  t.match(err, about)
  t.equal(err.trim().split('\n').length, 1, err)
}

t.teardown(async () => {
  for (const child of children)
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'close')
    }
  for (const path of folders) {
    const dataDir = join(path, 'data')
    if (existsSync(postmaster(dataDir))) process.kill(pidOf(dataDir), 'SIGQUIT')
    for (let tries = 0; existsSync(postmaster(dataDir)) && tries < 100; tries++) await wait(20)
    rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  }
})

t.test('a service on a database of its own', async t => {
  const dataDir = join(folder(), 'data')
  let service = await start(dataDir)

  t.test('the first screen says where it is, who can sign in, and what to try', async t => {
    const { screen, address } = service
    t.match(screen, `${address}/docs`)
    t.equal((await fetch(`${address}/docs`)).status, 200)
    for (const { email, role } of accountsOf(dataDir)) t.match(screen, new RegExp(`${email} +${role} `))
    const [, url = '', header = '', body = ''] = /curl -s (\S+) -H '(.+?)' -d '(.+?)'/.exec(screen) ?? []
    const [name = '', value = ''] = header.split(': ')
    const response = await fetch(url, { method: 'POST', headers: { [name]: value }, body })
    t.equal(response.status, 201)
    const { accessToken } = (await response.json()) as { accessToken: string }
    const me = await fetch(`${address}/v1/me`, { headers: { authorization: `Bearer ${accessToken}` } })
    t.match(await me.json(), { email: JSON.parse(body).email })
  })

  t.test('what it keeps is for its user alone', async t => {
    for (const name of ['demonstration.json', 'passwords.json', 'keys.json'])
      t.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name)
  })

  t.test('the demonstration has every kind and role, and two where two persons are needed', async t => {
    const accounts = accountsOf(dataDir)
    for (const account of accounts) {
      t.same(Object.keys(account), ['email', 'password', 'role', 'organisation'])
      t.same(Object.keys(account.organisation).sort(), ['id', 'kind', 'name'])
    }
    const organisations = new Map(accounts.map(({ organisation }) => [organisation.id, organisation.kind]))
    const count = (kind: string) => [...organisations.values()].filter(one => one === kind).length
    t.same(new Set(organisations.values()), new Set(Object.values(kindsOf).flat()))
    t.same([count('division'), count('ngo')], [3, 2])
    t.same(new Set(accounts.map(({ role }) => role)), new Set(Object.keys(kindsOf)))
    for (const [id, kind] of organisations) {
      if (kind !== 'division' && kind !== 'committee') continue
      const having = (role: string) => accounts.filter(one => one.organisation.id === id && one.role === role).length
      t.ok(having('supervisor') >= 2 && having('officer') >= 2, kind)
    }
  })

  t.test('a second one on the same folder stops and names the first, which goes on', async t => {
    oneLine(t, await run('src/server.ts', { DATA_DIR: dataDir }).ended, new RegExp(`\\b${service.child.pid}\\b`))
    t.equal((await signIn(service.address, accountOf(dataDir, 1))).status, 201)
  })

  t.test('SIGTERM lets the requests under way be answered, then ends PostgreSQL too', async t => {
    const answers = accountsOf(dataDir)
      .slice(2, 12)
      .map(account => signIn(service.address, account))
    let open = answers.length
    for (const answer of answers) answer.finally(() => open--).catch(() => {})
    await Promise.race(answers)
    service.child.kill('SIGTERM')
    t.ok(open > 1, `${open} requests were under way`)
    t.same(
      (await Promise.all(answers)).map(({ status }) => status),
      Array(answers.length).fill(201),
    )
    t.match(await service.ended, { code: 0, err: '' })
    t.notOk(existsSync(postmaster(dataDir)))
  })

  t.test('what kill -9 leaves behind is adopted by the next one, data and all', async t => {
    service = await start(dataDir)
    const before = accountsOf(dataDir)
    const orphan = pidOf(dataDir)
    service.child.kill('SIGKILL')
    await service.ended
    t.equal(pidOf(dataDir), orphan)
    service = await start(dataDir)
    t.equal(pidOf(dataDir), orphan)
    t.same(accountsOf(dataDir), before)
    t.equal((await signIn(service.address, accountOf(dataDir, 12))).status, 201)
    service.child.kill('SIGTERM')
    t.match(await service.ended, { code: 0, err: '' })
    t.notOk(existsSync(postmaster(dataDir)), 'the adopted one ends with it')
  })
})

t.test('an ordinary user can run it', { skip: !root && 'this is one' }, async t => {
  try {
    const reach = `fs.readFileSync(${JSON.stringify(at('src/server.ts'))})`
    execFileSync(process.execPath, ['-e', reach], { ...nobody, cwd: '/', stdio: 'ignore' })
  } catch {
    t.pass('skipped: the user nobody cannot reach node or this checkout')
    return
  }
  const dataDir = join(folder(), 'data')
  mkdirSync(dataDir)
  chownSync(dataDir, nobody.uid, nobody.gid)
  const service = await start(dataDir, nobody)
  t.equal((await signIn(service.address, accountOf(dataDir, 0))).status, 201)
  for (const name of ['demonstration.json', 'passwords.json', 'keys.json'])
    t.match(statSync(join(dataDir, name)), { uid: nobody.uid, mode: 0o100600 }, name)
  service.child.kill('SIGTERM')
  t.match(await service.ended, { code: 0, err: '' })
  t.notOk(existsSync(postmaster(dataDir)))
})

t.test('root is told when nobody cannot reach the folder', { skip: !root && 'only for root' }, async t => {
  const dataDir = join(folder(0o700), 'data')
  oneLine(
    t,
    await run('src/server.ts', { DATA_DIR: dataDir }).ended,
    new RegExp(`^DATA_DIR ${dataDir} cannot be reached`),
  )
})

t.test('a start that cannot be is over at once, and says why', async t => {
  const { endpoint } = await startDatabase(t)
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as { port: number }
  await new Promise(resolve => closed.close(resolve))
  const database = `postgres://app@localhost/${endpoint('app').database}?host=${encodeURIComponent(socket)}`
  const [unreachable, wrongPort, noKeys] = await Promise.all([
    run('src/server.ts', { DATABASE_URL: `postgres://app:x@127.0.0.1:${port}/qujat` }).ended,
    run('src/server.ts', { PORT: 'x', DATABASE_URL: database }).ended,
    run('src/server.ts', { DATABASE_URL: database, KEY_FILE: join(folder(), 'keys.json') }).ended,
  ])
  t.equal(unreachable.code, 1)
  t.match(unreachable.err, /^The database of DATABASE_URL does not answer .*\n$/)
  oneLine(t, wrongPort, /^PORT is not .+, for example PORT=3000/)
  oneLine(t, noKeys, /^KEY_FILE .+ is not there/)
})

t.test('the operator migrates a database and makes the first administrator by hand', async t => {
  const { db, endpoint } = await startDatabase(t, { template: 'template0' })
  const url = `postgres://owner@localhost/${endpoint('owner').database}?host=${encodeURIComponent(socket)}`
  const admin = (...args: string[]) => run('src/admin.ts', { DATABASE_OWNER_URL: url }, args).ended
  t.match(await admin('migrate'), { code: 0, out: /^Applied 0001_\S+\.sql/, err: '' })
  t.match(await admin('migrate'), { code: 0, out: 'Nothing to apply\n', err: '' })

  const email = 'x@y.example'
  const { code: exit, out } = await admin('create-administrator', '--email', email)
  t.equal(exit, 0)
  const code = /shown once: (\S+)/.exec(out)?.[1]
  oneLine(t, await admin('create-administrator', '--email', 'X@y.example'), /already/)
  oneLine(t, await admin('create-administrator'), /^--email is missing/)

  const app = await buildApp({
    db,
    keys: passingKeys(),
    config: { logLevel: 'silent', trustedProxies: [], rateLimit: 1000 },
  })
  t.teardown(() => app.close())
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
  t.equal((await post('/v1/enrolments', { code, password: strong })).statusCode, 204)
  t.equal((await post('/v1/sessions', { email, password: strong })).statusCode, 201)
  t.match(await post('/v1/enrolments', { code, password: strong }), { statusCode: 401 }, 'the code works once')
})
