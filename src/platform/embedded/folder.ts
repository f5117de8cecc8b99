import { execFileSync } from 'node:child_process'
import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StartError, unusable } from '../../config.ts'
import { unprivileged } from './binaries.ts'

/** The folder of the data. As root, whoever runs PostgreSQL has to pass through: what that lacks is added. */
export function makeFolder(dataDir: string): void {
  try {
    make(dataDir)
    const { mode } = lstatSync(`${dataDir}/`)
    if (unprivileged && (mode & 0o111) !== 0o111) chmodSync(dataDir, (mode & 0o7777) | 0o111)
  } catch (error) {
    throw unusable('DATA_DIR', dataDir, './data', error)
  }
}

/** Node's own `recursive` never ends below /proc. */
function make(path: string): void {
  if (lstatSync(`${path}/`, { throwIfNoEntry: false })) return
  make(dirname(path))
  mkdirSync(path, { mode: 0o755 })
}

/** A folder for PostgreSQL's user alone. In a folder of everybody somebody may have been there first. */
export function makePrivate(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (!there) throw unusable('DATA_DIR', path, './data', error)
    const ours = [process.getuid?.(), unprivileged?.uid].includes(there.uid)
    if (!there.isDirectory() || !ours || there.mode & 0o077)
      throw new StartError(`${path} is not a folder of this service's own: remove it, or choose a shorter DATA_DIR`)
  }
  own(path)
}

/** Gives these to the user who runs PostgreSQL. */
export const own = (...paths: string[]) => {
  if (unprivileged) for (const path of paths) lchownSync(path, unprivileged.uid, unprivileged.gid)
}

const claim = /^service-(\d+)-(\d+)\.pid$/

/**
 * Holds the folder for this process as long as it lives, whatever becomes of PostgreSQL; throws a {@link StartError}
 * with the pid of whoever holds it. Gives what lets go of it. Each service writes its claim before it looks for those of
 * others: of two that come at once, one at least sees the other. The claim of a dead process holds nothing.
 */
export function holdFolder(dataDir: string): () => void {
  const mine = `service-${process.pid}-${beginOf(process.pid)}.pid`
  const release = () => rmSync(join(dataDir, mine), { force: true })
  try {
    writeFileSync(join(dataDir, mine), '', { mode: 0o600 })
  } catch (error) {
    throw unusable('DATA_DIR', dataDir, './data', error)
  }
  for (const name of readdirSync(dataDir)) {
    const [, pid, begin] = claim.exec(name) ?? []
    if (!pid || name === mine) continue
    if (beginOf(Number(pid)) === begin) {
      release()
      throw new StartError(
        `DATA_DIR ${dataDir} is in use by another service, process ${pid}: DATA_DIR=./data-2 npm start`,
      )
    }
    rmSync(join(dataDir, name), { force: true })
  }
  return release
}

/** When a process began, as a number that only serves to tell it from a later one with its pid; none for a dead one. */
function beginOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux')
      return String(Date.parse(execFileSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' })))
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : fields[18] // starttime, in clock ticks after boot
  } catch {
    return undefined
  }
}
