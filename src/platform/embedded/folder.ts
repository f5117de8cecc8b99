import { execFileSync } from 'node:child_process'
import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StartError, unusable } from '../../config.ts'
import { unprivileged } from './binaries.ts'

/**
 * Creates the data folder if it is missing. For root, adds the right to enter the folder, which the user that runs PostgreSQL
 * needs. Throws a {@link StartError} if the folder cannot be used.
 */
export function makeFolder(dataDir: string): void {
  try {
    make(dataDir)
    const { mode } = lstatSync(`${dataDir}/`)
    if (unprivileged && (mode & 0o111) !== 0o111) chmodSync(dataDir, (mode & 0o7777) | 0o111)
  } catch (error) {
    throw unusable('DATA_DIR', dataDir, './data', error)
  }
}

/** Creates missing folders one by one: Node's own `recursive` never ends below /proc. */
function make(path: string): void {
  if (lstatSync(`${path}/`, { throwIfNoEntry: false })) return
  make(dirname(path))
  mkdirSync(path, { mode: 0o755 })
}

/**
 * Creates a folder that only PostgreSQL's user can use. Throws a {@link StartError} if the path exists and is not such a folder:
 * in a public folder another user may have created it first.
 */
export function makePrivate(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (!found) throw unusable('DATA_DIR', path, './data', error)
    const ours = [process.getuid?.(), unprivileged?.uid].includes(found.uid)
    if (!found.isDirectory() || !ours || found.mode & 0o077)
      throw new StartError(`${path} is not a private folder of this service: remove it, or choose a shorter DATA_DIR`)
  }
  own(path)
}

/** Changes the owner of these paths to the user that runs PostgreSQL. */
export const own = (...paths: string[]) => {
  if (unprivileged) for (const path of paths) lchownSync(path, unprivileged.uid, unprivileged.gid)
}

const claim = /^service-(\d+)-(\d+)\.pid$/

/**
 * Claims the folder for this process as long as it lives, even if PostgreSQL stops. Returns a function that releases it. Throws
 * a {@link StartError} with the pid of the process that has claimed it. Each service writes its claim before it looks for those
 * of others: of two that start at the same time, at least one sees the other. The claim of a dead process does not count.
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

/**
 * Returns the start time of a process, as a number that only serves to distinguish it from a later process with the same pid;
 * undefined for a dead process.
 */
export function beginOf(pid: number): string | undefined {
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
