// Runs the programs of the service in separate processes. The teardown kills the processes and removes their folders.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
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

/** Creates a temporary folder, by default one that every user can enter. */
export function folder(mode = 0o711) {
  const path = mkdtempSync(join(tmpdir(), 'qujat-start-'))
  chmodSync(path, mode)
  folders.push(path)
  return path
}

const defaults = { PORT: '0', METRICS_PORT: '0', NODE_COMPILE_CACHE: at('node_modules/.cache/node') }

/** Runs a program of the service with this environment and none of the test's variables; `input`: its standard input. */
export function run(
  program: string,
  environment: Record<string, string> = {},
  args: string[] = [],
  { input = '', ...as }: As & { input?: string } = {},
) {
  const { PATH = '', TMPDIR = '' } = process.env
  const env = { PATH, ...(TMPDIR && { TMPDIR }), ...defaults, ...environment }
  const command = ['-u', 'NODE_OPTIONS', process.execPath, at(program), ...args] // tap would load itself through this variable
  const child = spawn('env', command, { env, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'], ...as })
  child.stdin.on('error', () => {}).end(input)
  children.push(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => (output.out += chunk))
  child.stderr.on('data', chunk => (output.err += chunk))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
  return { child, output, ended }
}

/** Starts the service and returns when its first screen is complete. Rejects with its error output if it ends before. */
export async function start(
  dataDir: string,
  { environment = {}, ...as }: As & { environment?: Record<string, string> } = {},
) {
  const service = run('src/programs/server.ts', { DATA_DIR: dataDir, ...environment }, [], as)
  const complete = new Promise<string>(resolve => {
    service.child.stdout.on('data', () => service.output.out.includes('Ctrl-C') && resolve(service.output.out))
  })
  const screen = await Promise.race([complete, service.ended.then(({ err }) => Promise.reject(new Error(err)))])
  return { ...service, screen, address: /(?:Service|ready at) +(http:[^\s,]+)/.exec(screen)?.[1] ?? '' }
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

/** Returns a port that is free at this moment. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return String(port)
}
