// The programs of the service in processes of their own, and what they leave behind. All of it is gone with the test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { Demonstration } from '../../../src/programs/demonstration-accounts.ts'

type As = { uid?: number; gid?: number }

export const at = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
export const nobody = { uid: 65534, gid: 65534 }
export const root = process.getuid?.() === 0
const children: ChildProcess[] = []
const folders: string[] = []

/** A folder that everybody can pass through, unless told otherwise. */
export function folder(mode = 0o711) {
  const path = mkdtempSync(join(tmpdir(), 'qujat-start-'))
  chmodSync(path, mode)
  folders.push(path)
  return path
}

const unlessTold = { PORT: '0', METRICS_PORT: '0', NODE_COMPILE_CACHE: at('node_modules/.cache/node') }

/** A program of the service, with this environment and nothing of the test's own; `input`: what is typed there. */
export function run(
  program: string,
  environment: Record<string, string> = {},
  args: string[] = [],
  { input = '', ...as }: As & { input?: string } = {},
) {
  const { PATH = '', TMPDIR = '' } = process.env
  const env = { PATH, ...(TMPDIR && { TMPDIR }), ...unlessTold, ...environment }
  const command = ['-u', 'NODE_OPTIONS', process.execPath, at(program), ...args] // tap would put itself in there
  const child = spawn('env', command, { env, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'], ...as })
  child.stdin.on('error', () => {}).end(input)
  children.push(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', chunk => (said.out += chunk))
  child.stderr.on('data', chunk => (said.err += chunk))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }))
  return { child, said, ended }
}

/** The service when its first screen is complete. */
export async function start(
  dataDir: string,
  { environment = {}, ...as }: As & { environment?: Record<string, string> } = {},
) {
  const service = run('src/programs/server.ts', { DATA_DIR: dataDir, ...environment }, [], as)
  const screen = new Promise<string>(resolve => {
    service.child.stdout.on('data', () => service.said.out.includes('Ctrl-C') && resolve(service.said.out))
  })
  const told = await Promise.race([screen, service.ended.then(({ err }) => Promise.reject(new Error(err)))])
  return { ...service, screen: told, address: /(?:Service|ready at) +(http:[^\s,]+)/.exec(told)?.[1] ?? '' }
}

export const signIn = (address: string, { email, password }: { email: string; password: string }) =>
  fetch(`${address}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })

export const accountsOf = (dataDir: string): Demonstration =>
  JSON.parse(readFileSync(join(dataDir, 'demonstration.json'), 'utf8'))

export const accountOf = (dataDir: string, which: number) => {
  const account = accountsOf(dataDir)[which]
  if (!account) throw new Error('no such account')
  return account
}

export const postmaster = (dataDir: string) => join(dataDir, 'postgres', 'postmaster.pid')
export const pidOf = (dataDir: string) => Number(readFileSync(postmaster(dataDir), 'utf8').split('\n')[0])

export const oneLine = (t: Test, { code, err }: { code: number | null; err: string }, about: RegExp) => {
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
