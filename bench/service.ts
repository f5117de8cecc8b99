import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Connection } from '../src/platform/db/connection.ts'
import { Cluster } from '../src/platform/embedded/cluster.ts'

/** Starts the service as `npm start` does, in a separate process, and connects to its cluster. */
export async function startService(dataDir: string) {
  const env = { ...process.env, PORT: '0', METRICS_PORT: '0', LOG_LEVEL: 'silent', RATE_LIMIT: '100000000' }
  const child = spawn(process.execPath, ['--max-semi-space-size=32', 'src/programs/server.ts'], {
    cwd: join(import.meta.dirname, '..'),
    env: { POOL_SIZE: '16', ...env, DATA_DIR: dataDir, DATABASE_URL: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  let screen = ''
  for await (const text of child.stdout.iterator({ destroyOnReturn: false })) {
    screen += text
    if (screen.includes('Ctrl-C')) break
  }
  child.stdout.resume()
  const [, address] = /Service +(http\S+)/.exec(screen) ?? []
  if (!address) throw new Error('the service did not start')
  const cluster = await Cluster.start(dataDir) // adopts the running one
  await Connection.with(cluster.endpoint('owner'), ({ send }) =>
    send(`update thresholds set value = 2000000000 where threshold = 'cases_opened_a_day'`),
  )
  return {
    address,
    cluster,
    /** CPU time of the service and of its database in milliseconds; `memory`: of the service in MB. */
    used: () => ({ service: worked(child.pid ?? 0), database: workedForDatabase(dataDir) }),
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    async stop() {
      child.kill('SIGTERM')
      await Promise.race([ended, setTimeout(20_000, undefined, { ref: false })])
    },
  }
}
export type Service = Awaited<ReturnType<typeof startService>>

/** Returns the fields of /proc/PID/stat after the name; times in ticks of 10 ms. Empty for a process that has ended. */
function statOf(pid: number | string): number[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat
      .slice(stat.lastIndexOf(')') + 4)
      .split(' ')
      .map(Number)
  } catch {
    return []
  }
}
const ticks = (stat: number[], fields: number[]) => fields.reduce((sum, field) => sum + (stat[field] ?? 0), 0) * 10
const own = [10, 11] // utime, stime
const ended = [12, 13] // of children that have ended

const worked = (pid: number) => ticks(statOf(pid), own)

function workedForDatabase(dataDir: string) {
  const postmaster = Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(statOf)
    .filter(([parent]) => parent === postmaster)
  const self = ticks(statOf(postmaster), [...own, ...ended])
  return children.reduce((sum, stat) => sum + ticks(stat, own), self)
}
