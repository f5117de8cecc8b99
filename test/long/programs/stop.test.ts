import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Demonstration } from '../../../src/programs/demonstration-accounts.ts'
import { accountsOf, folder, oneLine, pidOf, postmaster, run, signIn, start } from '../../programs/start/program.ts'

const dataDir = join(folder(), 'data')
const partial = () => readdirSync(dataDir).filter(name => name.includes('-new-') || name.endsWith('.pid'))
const find = (accounts: Demonstration, name: string) => accounts.filter(({ email }) => email.startsWith(name))
const quiet = { code: 0, err: '' }

/** Starts an upload that sends a byte every 200 ms. */
async function drip(address: string) {
  const post = async (name: string, path: string, body: object) => {
    const [account] = find(accountsOf(dataDir), name)
    const { accessToken } = (await (await signIn(address, account ?? { email: '', password: '' })).json()) as Token
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${accessToken}` }
    if (!path) return headers.authorization
    const answer = await fetch(address + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return ((await answer.json()) as { id: string }).id
  }
  const campaign = await post('gulnara', '/v1/campaigns', { name: 'Slow', startsOn: '2020-10-01' })
  const authorization = await post('aliya', '', {})
  const { port, hostname } = new URL(address)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(
    `POST /v1/imports?campaignId=${campaign} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n` +
      'Content-Type: text/csv\r\nContent-Length: 100000\r\n\r\nexternalId',
  )
  const timer = setInterval(() => socket.write('x'), 200)
  socket.on('close', () => clearInterval(timer))
  await wait(500)
  return socket
}
type Token = { accessToken: string }

t.test('a signal during a cold start leaves no process running and no partial files', async t => {
  const initialising = () => existsSync(dataDir) && readdirSync(dataDir).some(name => name.startsWith('postgres-new-'))
  for (const reached of [initialising, () => existsSync(postmaster(dataDir))]) {
    const { child, ended } = run('src/programs/server.ts', { DATA_DIR: dataDir })
    while (!reached()) await wait(5)
    child.kill('SIGTERM')
    t.match(await ended, quiet)
    t.notOk(existsSync(postmaster(dataDir)))
    t.same(partial(), [])
  }
})

t.test('a slow upload cannot delay a stop, and a second Ctrl-C cannot cut it short', async t => {
  mkdirSync(join(dataDir, 'postgres-new-killed'))
  const service = await start(dataDir)
  t.equal(partial().length, 1, 'only the claim of the service is left; the folder of a killed start is removed')
  const socket = await drip(service.address)
  t.notOk(socket.destroyed)
  for (const signal of ['SIGINT', 'SIGINT'] as const) service.child.kill(signal) // as Ctrl-C under npm sends them
  t.match(await service.ended, quiet)
  t.notOk(existsSync(postmaster(dataDir)))
  t.same(partial(), [])
})

t.test('a start completes a demonstration that was interrupted while it was written', async t => {
  const before = accountsOf(dataDir)
  const file = join(dataDir, 'demonstration.json')
  renameSync(file, `${file}.new`)
  const { child, ended, address } = await start(dataDir)
  t.same(accountsOf(dataDir), before)
  t.equal((await signIn(address, before[0] ?? { email: '', password: '' })).status, 201)
  child.kill('SIGTERM')
  t.match(await ended, quiet)
})

t.test(
  'a start without the demonstration file runs without it, and the folder stays claimed after PostgreSQL has ended',
  async t => {
    rmSync(join(dataDir, 'demonstration.json'))
    const { child, ended, screen } = await start(dataDir)
    t.match(screen, /^Qujat is ready at http.+, without demonstration accounts: .+demonstration.json is missing/m)
    process.kill(pidOf(dataDir), 'SIGINT')
    while (existsSync(postmaster(dataDir))) await wait(20)
    oneLine(t, await run('src/programs/server.ts', { DATA_DIR: dataDir }).ended, new RegExp(`process ${child.pid}\\b`))
    child.kill('SIGTERM')
    t.match(await ended, quiet)
  },
)
