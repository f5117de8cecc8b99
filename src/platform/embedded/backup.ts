import { type Dirent, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { copyFile, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError, unusable } from '../../config.ts'
import { Connection } from '../db/connection.ts'
import type { Cluster } from './cluster.ts'
import { makeFolder, own } from './folder.ts'

/** Files that a server recreates at its start, temporary files, and the files that mark a running server. */
const passing = /^(postmaster\.(pid|opts)|pgsql_tmp.*|pg_internal\.init.*|xlogtemp\..*)$/
/** Folders that are copied empty. */
const emptied = /^(pg_wal|pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)$/

/**
 * Copies the database of a running cluster into a new folder, with the passwords of its roles and without the keys. The copy
 * has the state at its end; it follows PostgreSQL's low-level backup protocol (chapter 25.3.4 of its manual).
 */
export async function backUp(cluster: Cluster, dataDir: string, to: string): Promise<void> {
  if (existsSync(to)) throw new StartError(`backup ${to} exists already: choose a new folder`)
  const place = join(to, 'postgres')
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusable('backup', to, './backup', error)
  }
  const from = join(dataDir, 'postgres')
  try {
    await Connection.with(cluster.endpoint('postgres'), async ({ send }) => {
      // Keeps the write-ahead log written meanwhile, as long as this session lasts.
      await send(`select pg_create_physical_replication_slot('backup_' || pg_backend_pid(), true, true)`)
      await send(`select pg_backup_start('backup', fast => true)`)
      await copyInto(place, from, true)
      const [label] = await send('select labelfile from pg_backup_stop(wait_for_archive => false)')
      await write(join(place, 'backup_label'), label?.labelfile)
      await copyInto(join(place, 'pg_wal'), join(from, 'pg_wal'), true)
    })
    await copyWhole(join(dataDir, 'passwords.json'), join(to, 'passwords.json'))
  } catch (error) {
    rmSync(to, { recursive: true, force: true })
    throw error
  }
}

/** Copies a backup into a data folder without a database; PostgreSQL recovers from it when it starts. */
export async function restore(from: string, dataDir: string): Promise<void> {
  for (const name of ['postgres/backup_label', 'passwords.json'])
    if (!existsSync(join(from, name))) throw new StartError(`restore ${from} is not a backup: ${name} is missing`)
  makeFolder(dataDir)
  for (const name of ['postgres', 'passwords.json'])
    if (existsSync(join(dataDir, name)))
      throw new StartError(
        `restore: DATA_DIR ${dataDir} contains a database already: choose another folder, for example DATA_DIR=./restored npm run admin -- restore …`,
      )
  // Copied next to its place and moved there when complete, as a new database is.
  const place = join(dataDir, `postgres-new-${process.pid}`)
  try {
    mkdirSync(place, { mode: 0o700 })
    own(place)
    await copyInto(place, join(from, 'postgres'))
    await copyWhole(join(from, 'passwords.json'), join(dataDir, 'passwords.json'))
    renameSync(place, join(dataDir, 'postgres'))
  } catch (error) {
    await rm(place, { recursive: true, force: true })
    throw unusable('DATA_DIR', dataDir, './data', error)
  }
}

/** Copies the content of a folder and syncs it to disk; of a `running` database without the files that it recreates. */
async function copyInto(to: string, from: string, running = false): Promise<void> {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (running && passing.test(entry.name)) continue
    await copyEntry(to, from, entry, running)
  }
}

async function copyEntry(to: string, from: string, entry: Dirent, running: boolean): Promise<void> {
  const [source, target] = [join(from, entry.name), join(to, entry.name)]
  if (entry.isDirectory()) {
    if (!existsSync(target)) mkdirSync(target, { mode: 0o700 })
    own(target)
    if (!(running && emptied.test(entry.name))) await copyInto(target, source, running)
  } else if (entry.isFile()) {
    await copyWhole(source, target).catch(error => {
      if (!(running && error.code === 'ENOENT')) throw error // dropped meanwhile, or log that the slot does not need
    })
  }
}

async function copyWhole(source: string, target: string): Promise<void> {
  await copyFile(source, target)
  own(target)
  const file = await open(target, 'r+')
  await file.chmod(0o600)
  await file.sync()
  await file.close()
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
  await file.close()
  own(path)
}
