import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { beginOf } from '../../../src/platform/embedded/folder.ts'
import { accountOf, folder, pidOf, signIn, start } from './program.ts'

const statusOf = (address: string, path: string) => fetch(`${address}${path}`).then(({ status }) => status)

/** Waits until the path answers with this status. */
async function until(address: string, path: string, wanted: number) {
  for (let left = 600; left; left--) {
    if ((await statusOf(address, path)) === wanted) return
    await wait(100)
  }
  throw new Error(`${path} never answered ${wanted}`)
}

t.test('the embedded PostgreSQL is started again after it was killed and after it has stopped', async t => {
  const dataDir = join(folder(), 'data')
  const { address, child, ended, output } = await start(dataDir)
  for (const signal of ['SIGKILL', 'SIGINT'] as const) {
    const before = pidOf(dataDir)
    const begin = beginOf(before)
    process.kill(before, signal) // SIGINT: PostgreSQL stops itself
    while (beginOf(before) === begin) await wait(20)
    t.equal(await statusOf(address, '/health/ready'), 503, `not ready after ${signal}`)
    t.equal((await signIn(address, accountOf(dataDir, 0))).status, 503)
    await until(address, '/health/ready', 200)
    t.equal((await signIn(address, accountOf(dataDir, 0))).status, 201, `answers after ${signal}`)
    t.not(pidOf(dataDir), before)
  }
  const lines = output.out.split('\n').filter(line => line.includes('"msg":"PostgreSQL'))
  t.match(lines, [/has ended: start 1 of/, /runs again/, /has ended: start 2 of/, /runs again/])
  t.equal(lines.length, 4, 'one line for each')
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, err: '' })
  t.equal(child.exitCode ?? (await once(child, 'exit'))[0], 0)
})
