// Starts one temporary PostgreSQL for the whole run, with a migrated and seeded database as template.
import { chownSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import postgres from 'postgres'
import { prepareDatabase } from '../../src/programs/prepare-database.ts'
import { initdb, pg_ctl, run, unprivileged } from './binaries.ts'
import { socket } from './socket.ts'

try {
  run(pg_ctl, '-D', `${socket}/data`, '-m', 'immediate', 'stop') // left by a killed run
} catch {}
rmSync(socket, { recursive: true, force: true })
mkdirSync(socket, { recursive: true })
if (unprivileged) chownSync(socket, unprivileged.uid, unprivileged.gid)
run(
  initdb,
  '-D',
  `${socket}/data`,
  '-U',
  'postgres',
  '--auth=trust',
  '--encoding=UTF8',
  '--locale=C.UTF-8',
  '--no-sync',
)
// Keeps the whole write-ahead log, which stop-cluster.ts searches after the run.
const settings = `-k ${socket} -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300 -c wal_keep_size=64GB`
run(pg_ctl, '-D', `${socket}/data`, '-w', '-l', `${socket}/log`, '-o', settings, 'start')

const admin = postgres({ host: socket, database: 'postgres', user: 'postgres', max: 1, onnotice() {} })
await admin.unsafe(readFileSync('migrations/roles.sql', 'utf8')).simple()
await admin.unsafe('create database template_app owner owner')
await admin.end()

const owner = { host: socket, database: 'template_app', user: 'owner' }
await prepareDatabase(owner, { country: 'KZ', timeZone: 'Asia/Almaty' })
