import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { folder, oneLine, pidOf, postmaster, start } from '../../programs/start/program.ts'

t.test('a PostgreSQL that does not stay up ends the service with one line after five starts', async t => {
  const dataDir = join(folder(), 'data')
  const { child, ended, output } = await start(dataDir)
  process.kill(pidOf(dataDir), 'SIGINT')
  while (existsSync(postmaster(dataDir))) await wait(5)
  renameSync(join(dataDir, 'postgres', 'PG_VERSION'), join(dataDir, 'postgres', 'PG_VERSION-gone'))
  oneLine(t, await ended, /^The embedded PostgreSQL ended again after 5 starts: see postgres.log in DATA_DIR\n$/)
  const lines = output.out.split('\n').filter(line => line.includes('"msg":"PostgreSQL'))
  t.equal(lines.filter(line => /has ended: start [1-5] of at most 5/.test(line)).length, 5)
  t.equal(lines.filter(line => /did not start/.test(line)).length, 5)
  t.equal(child.exitCode, 1)
})
