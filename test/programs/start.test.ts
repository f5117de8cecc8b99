import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { kindsOf } from '../../src/platform/access/permissions.ts'
import {
  accountOf,
  accountsOf,
  at,
  folder,
  nobody,
  oneLine,
  pidOf,
  postmaster,
  root,
  run,
  signIn,
  start,
} from './start/program.ts'

t.test('a service on the embedded database', async t => {
  const dataDir = join(folder(), 'data')
  let service = await start(dataDir)

  t.test('the first screen shows the addresses, the demonstration accounts and a request to try', async t => {
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

  t.test('only the user of the service can read its secret files', async t => {
    for (const name of ['demonstration.json', 'passwords.json', 'keys.json'])
      t.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name)
  })

  t.test('the demonstration has every kind of organisation and role, two where a step needs two persons', async t => {
    const accounts = accountsOf(dataDir)
    for (const account of accounts) {
      const factor = account.email.startsWith('yerlan@') ? ['otpSecret'] : []
      t.same(Object.keys(account), ['id', 'email', 'password', 'role', 'organisation', ...factor])
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

  t.test('a second service on the same folder stops and names the first, which keeps running', async t => {
    oneLine(
      t,
      await run('src/programs/server.ts', { DATA_DIR: dataDir }).ended,
      new RegExp(`\\b${service.child.pid}\\b`),
    )
    t.equal((await signIn(service.address, accountOf(dataDir, 1))).status, 201)
  })

  t.test('after SIGTERM the running requests are answered, then PostgreSQL is stopped', async t => {
    const answers = accountsOf(dataDir)
      .filter(({ otpSecret }) => !otpSecret)
      .slice(2, 12)
      .map(account => signIn(service.address, account))
    let open = answers.length
    for (const answer of answers) answer.finally(() => open--).catch(() => {})
    await Promise.race(answers)
    service.child.kill('SIGTERM')
    t.ok(open > 1, `${open} requests were running`)
    t.same(
      (await Promise.all(answers)).map(({ status }) => status),
      Array(answers.length).fill(201),
    )
    t.match(await service.ended, { code: 0, err: '' })
    t.notOk(existsSync(postmaster(dataDir)))
  })

  t.test('the next service adopts the PostgreSQL that kill -9 left running, with its data', async t => {
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
    t.notOk(existsSync(postmaster(dataDir)), 'the adopted PostgreSQL stops with the service')
  })
})

t.test('an ordinary user can run the service', { skip: !root && 'this is an ordinary user' }, async t => {
  try {
    const reach = `fs.readFileSync(${JSON.stringify(at('src/programs/server.ts'))})`
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

t.test(
  'root gets an error when the user nobody cannot reach the folder',
  { skip: !root && 'only for root' },
  async t => {
    const dataDir = join(folder(0o700), 'data')
    oneLine(
      t,
      await run('src/programs/server.ts', { DATA_DIR: dataDir }).ended,
      new RegExp(`^DATA_DIR ${dataDir} cannot be reached`),
    )
  },
)
