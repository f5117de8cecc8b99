// Two processes on one database; one of them has an older copy of the key file.
import { copyFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { buildApp } from '../../../src/app.ts'
import { addEpoch, createKeyFile, readKeys } from '../../../src/platform/access/keys.ts'
import { Database } from '../../../src/platform/db/database.ts'
import { folder } from '../../programs/start/program.ts'
import { register } from '../../support/procedure.ts'
import { ledgerOf, startService } from '../../support/service.ts'

t.test('a process with an older key file is not ready, and is ready again once the file is copied', async t => {
  const [file, copy] = [join(folder(), 'keys.json'), join(folder(), 'keys.json')]
  createKeyFile(file)
  copyFileSync(file, copy)
  const { as, app, endpoint, lines } = await startService(t, { keys: readKeys(file) })
  const keys = readKeys(copy)
  const db = new Database(endpoint('app'), keys, { size: 2 })
  const said: string[] = []
  const second = await buildApp({
    db,
    ledger: ledgerOf(t, keys),
    config: { logLevel: 'info', trustedProxies: [], rateLimit: 1_000_000, importLimit: 1 },
    log: { write: line => void said.push(line) },
  })
  t.teardown(async () => {
    await second.close()
    await db.close()
  })
  const ready = async (of = second) => (await of.inject({ url: '/health/ready' })).json()
  const asel = await as('caseworker', 'sunrise')
  await register(asel)
  t.match(await ready(), { status: 'ok' })

  addEpoch(file)
  await register(asel)
  t.match(await ready(), { status: 503, detail: 'KEY_FILE is older than the data' })
  await ready()
  t.match(
    said.filter(line => line.includes('Not ready')),
    [/KEY_FILE does not open the newest data of the database: copy the newest key file to it/],
  )
  t.equal(said.filter(line => line.includes('Not ready')).length, 1, 'the log says it once')
  t.match(await ready(app), { status: 'ok' }, 'the process with the newest file is ready')

  const at = new Date()
  writeFileSync(copy, '{ "signing": [')
  utimesSync(copy, at, at)
  t.match(await ready(), { status: 503, detail: 'KEY_FILE is older than the data' }, 'while the file is being copied')
  copyFileSync(file, copy)
  utimesSync(copy, at, at)
  t.match(await ready(), { status: 'ok' }, 'also if the file has the time of the attempt that failed')
  t.ok(said.some(line => line.includes('Over: KEY_FILE is older than the data')))
  t.notOk(lines.some(line => line.includes('Not ready')))
})
