import { once } from 'node:events'
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { buildApp } from '../../../src/app.ts'
import { makeFolder, makePrivate } from '../../../src/platform/embedded/folder.ts'
import { ledgerOf, startDatabase } from '../../support/service.ts'
import { socket } from '../../support/socket.ts'
import { folder, oneLine, root, run } from './program.ts'

const strong = 'four words of my own'

t.test('a start that cannot succeed ends at once with an error of one line', async t => {
  const { endpoint } = await startDatabase(t)
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as { port: number }
  await new Promise(resolve => closed.close(resolve))
  const database = `postgres://app@localhost/${endpoint('app').database}?host=${encodeURIComponent(socket)}`
  const busy = createServer().listen(0, '127.0.0.1')
  t.teardown(() => busy.close())
  await once(busy, 'listening')
  const taken = String((busy.address() as { port: number }).port)
  const KEY_FILE = join(folder(), 'keys.json')
  t.equal((await run('src/programs/admin.ts', { KEY_FILE }, ['create-key-file']).ended).code, 0)
  const external = { DATABASE_URL: database, KEY_FILE }
  const wrong: [environment: Record<string, string>, about: RegExp][] = [
    [
      { DATABASE_URL: `postgres://app:x@127.0.0.1:${port}/qujat` },
      /^The database server of DATABASE_URL does not answer/,
    ],
    [
      { DATABASE_URL: database.replace('/test_', '/nowhere_') },
      /^The database server of DATABASE_URL has no database nowhere_/,
    ],
    [{ DATABASE_URL: `${database}&sslmode=verify` }, /^DATABASE_URL has an unknown sslmode, verify/],
    [{ PORT: 'x', DATABASE_URL: database }, /^PORT is not .+, for example PORT=3000/],
    [{ ...external, PORT: taken }, new RegExp(`^PORT ${taken} is in use`)],
    [{ ...external, METRICS_PORT: taken }, new RegExp(`^METRICS_PORT ${taken} is in use`)],
    [{ ...external, HOST: '999.1.1.1' }, /^HOST 999.1.1.1 is not an address of this machine/],
    [{ ...external, METRICS_HOST: '192.0.2.1' }, /^METRICS_HOST 192.0.2.1 is not an address of this machine/],
    [{ ...external, HOST: '192.0.2.1' }, /^HOST 192.0.2.1 is not an address of this machine/],
    [{ ...external, COUNTRY: 'UZ' }, /^COUNTRY is UZ, but this database was set up with COUNTRY=KZ/],
    [{ ...external, TIME_ZONE: 'UTC' }, /^TIME_ZONE is UTC, but this database was set up with TIME_ZONE=Asia.Almaty/],
    [{ ...external, KEY_FILE: join(folder(), 'keys.json') }, /^KEY_FILE .+ does not exist/],
    [{ ...external, KEY_FILE: folder() }, /^KEY_FILE .+ is not a file/],
    [{ ...external, KEY_FILE: '/etc/passwd' }, /^KEY_FILE .+ is not a key file of this service/],
    [{ DATA_DIR: '/etc/passwd' }, /^DATA_DIR .+ is not a folder/],
    [{ DATA_DIR: '/proc/qujat' }, /^DATA_DIR .+ is in a folder that does not exist/],
  ]
  const damaged = folder()
  writeFileSync(join(damaged, 'passwords.json'), '{')
  wrong.push([{ DATA_DIR: damaged }, /^DATA_DIR .+: passwords.json is damaged/])
  const starts = wrong.map(async ([environment, about]) => ({
    ended: await run('src/programs/server.ts', environment).ended,
    about,
  }))
  for (const { ended, about } of await Promise.all(starts)) oneLine(t, ended, about)
})

t.test(
  'an existing data folder keeps its mode, except for what PostgreSQL needs',
  { skip: !root && 'only for root' },
  async t => {
    const dataDir = join(folder(), 'data')
    mkdirSync(dataDir)
    chmodSync(dataDir, 0o1740)
    makeFolder(dataDir)
    t.equal(statSync(dataDir).mode & 0o7777, 0o1751)
    const [target, link] = [join(dataDir, 'target'), join(dataDir, 'link')]
    mkdirSync(target)
    symlinkSync(target, link)
    t.throws(() => makePrivate(link), { name: 'StartError', message: /is not a private folder of this service/ })
    t.equal(statSync(target).uid, process.getuid?.())
  },
)

t.test('the operator migrates a database and creates the first administrator', async t => {
  const { db, endpoint } = await startDatabase(t, { template: 'template0' })
  const url = `postgres://owner@localhost/${endpoint('owner').database}?host=${encodeURIComponent(socket)}`
  const admin = (...args: string[]) => run('src/programs/admin.ts', { DATABASE_OWNER_URL: url }, args).ended
  t.match(await admin('migrate'), { code: 0, out: /^Applied tables.0001_\S+\.sql/, err: '' })
  t.match(await admin('migrate'), { code: 0, out: 'Nothing to apply\n', err: '' })

  const email = 'x@y.example'
  const { code: exit, out } = await admin('create-administrator', '--email', email)
  t.equal(exit, 0)
  const code = /shown once: (\S+)/.exec(out)?.[1]
  oneLine(t, await admin('create-administrator', '--email', 'X@y.example'), /already/)
  oneLine(t, await admin('create-administrator'), /^--email is missing/)
  oneLine(t, await admin('create-administrator', '--email', 'x@'), /^--email is not an e-mail address/)
  oneLine(t, await admin('create-administrator', '--mail', 'x'), /^Unknown option '--mail', for example --email/)

  const app = await buildApp({
    db,
    ledger: ledgerOf(t),
    config: { logLevel: 'silent', trustedProxies: [], rateLimit: 1000, importLimit: 1 },
  })
  t.teardown(() => app.close())
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
  t.equal((await post('/v1/enrolments', { code, password: strong })).statusCode, 204)
  t.equal((await post('/v1/sessions', { email, password: strong })).statusCode, 201)
  t.match(await post('/v1/enrolments', { code, password: strong }), { statusCode: 401 }, 'the code works once')
})
