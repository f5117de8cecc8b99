// What a test kills of a service that runs, and what it reads of the database behind it.
import { readdirSync, readFileSync } from 'node:fs'
import postgres from 'postgres'
import { Cluster } from '../../../src/platform/embedded/cluster.ts'
import { pidOf } from '../../programs/start/program.ts'

/** A process of PostgreSQL's that serves the service: killed, all of them start anew. */
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

/** A superuser of the database as it runs now. */
export const superuserOf = async (dataDir: string) =>
  postgres({ ...(await Cluster.start(dataDir)).endpoint('postgres'), max: 1, onnotice() {} })
