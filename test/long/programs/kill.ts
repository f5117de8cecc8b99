// Finds the processes of a running service that a test kills, and connects to its database.
import { readdirSync, readFileSync } from 'node:fs'
import postgres from 'postgres'
import { Cluster } from '../../../src/platform/embedded/cluster.ts'
import { pidOf } from '../../programs/start/program.ts'

/** Returns the pid of a PostgreSQL backend of the service; when it is killed, PostgreSQL restarts all backends. */
export const aBackend = (dataDir: string) => {
  const postmaster = pidOf(dataDir)
  const children = readdirSync('/proc').filter(pid => /^\d+$/.test(pid) && parentOf(pid) === postmaster)
  return Number(children.find(pid => /: app /.test(commandOf(pid))) ?? children[0])
}
const read = (path: string) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
const parentOf = (pid: string) =>
  Number(
    read(`/proc/${pid}/stat`)
      .replace(/^.*\) \S+ /, '')
      .split(' ')[0],
  )
const commandOf = (pid: string) => read(`/proc/${pid}/cmdline`)

/** Connects to the running database as superuser. */
export const superuserOf = async (dataDir: string) =>
  postgres({ ...(await Cluster.start(dataDir)).endpoint('postgres'), max: 1, onnotice() {} })
