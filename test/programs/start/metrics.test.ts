import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { startDatabase } from '../../support/service.ts'
import { socket } from '../../support/socket.ts'
import { folder, freePort, run } from './program.ts'

t.test('the metrics are open to this machine only, unless METRICS_HOST says otherwise', async t => {
  const { endpoint } = await startDatabase(t)
  const KEY_FILE = join(folder(), 'keys.json')
  await run('src/programs/admin.ts', { KEY_FILE }, ['create-key-file']).ended
  const DATABASE_URL = `postgres://app@localhost/${endpoint('app').database}?host=${encodeURIComponent(socket)}`
  const [PORT, METRICS_PORT] = [await freePort(), await freePort()]
  const statusOf = (host: string, port: string, path: string) =>
    fetch(`http://${host}:${port}${path}`).then(
      ({ status }) => status,
      () => 'closed',
    )
  // All of 127.0.0.0/8 is this machine: 127.0.0.2 stands for another of its addresses.
  for (const [METRICS_HOST, elsewhere] of [
    ['', 'closed'],
    ['0.0.0.0', 200],
  ] as const) {
    const environment = { DATABASE_URL, KEY_FILE, HOST: '0.0.0.0', PORT, METRICS_PORT, METRICS_HOST }
    const service = run('src/programs/server.ts', environment)
    while ((await statusOf('127.0.0.2', PORT, '/health/live')) !== 200) await setTimeout(100)
    t.equal(await statusOf('127.0.0.1', METRICS_PORT, '/metrics'), 200)
    t.equal(await statusOf('127.0.0.2', METRICS_PORT, '/metrics'), elsewhere)
    service.child.kill()
    t.equal((await service.ended).code, 0)
  }
})
