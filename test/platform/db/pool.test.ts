import { type AddressInfo, createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Pool } from '../../../src/platform/db/pool.ts'
import { startDatabase } from '../../support/service.ts'
import { socket } from '../../support/socket.ts'

/** Starts a proxy of PostgreSQL that counts the messages with `word`, and resets the connections that send one if `resets`. */
async function proxyOf(t: Test, word: string) {
  const proxy = { port: 0, resets: false, seen: 0 }
  const server = createServer(client => {
    const database = createConnection(join(socket, '.s.PGSQL.5432'))
    database.on('error', () => {}).pipe(client)
    client.on('error', () => {}).on('close', () => database.destroy())
    client.on('data', chunk => {
      if (chunk.includes(word)) {
        proxy.seen++
        if (proxy.resets) return void client.resetAndDestroy()
      }
      database.write(chunk)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  proxy.port = (server.address() as AddressInfo).port
  t.teardown(() => new Promise(resolve => server.close(resolve)))
  return proxy
}

t.test('only the first connection of a pool reads the array types', async t => {
  const { endpoint } = await startDatabase(t)
  const proxy = await proxyOf(t, 'typarray')
  const pool = new Pool({ ...endpoint('app'), host: '127.0.0.1', port: proxy.port }, { size: 2, wait: 1_900 })
  const first = await pool.acquire('one')
  proxy.resets = true // a reset while types are read would end the process
  const second = await pool.acquire('one')
  t.equal(proxy.seen, 1)
  for (const connection of [first, second])
    t.same(
      [...(await connection.send(`select array['a', 'b'] as texts, $1::text[] as given`, [['c']]))],
      [{ texts: ['a', 'b'], given: ['c'] }],
    )
  pool.release(first)
  pool.release(second)
  await pool.close()
})

t.test('a burst of one account does not hold up the others: lines take turns', async t => {
  const { endpoint } = await startDatabase(t)
  const pool = new Pool(endpoint('app'), { size: 2, wait: 1_900 })
  const held = [await pool.acquire('busy'), await pool.acquire('busy')]
  const served: string[] = []
  const asked = [...Array.from({ length: 600 }, () => 'busy'), 'other', 'third', 'other'].map(async line => {
    const connection = await pool.acquire(line)
    served.push(line)
    pool.release(connection)
  })
  t.equal(pool.counts.waiting, 603)
  for (const connection of held) pool.release(connection)
  await Promise.all(asked)
  t.same(served.slice(0, 6), ['busy', 'other', 'third', 'busy', 'other', 'busy'])
  t.same(pool.counts, { idle: 2, held: 0, waiting: 0 })
  await pool.close()
})

t.test('who waits too long gets nothing, and leaves the line', async t => {
  const { endpoint } = await startDatabase(t)
  const pool = new Pool(endpoint('app'), { size: 1, wait: 100 })
  const held = await pool.acquire('one')
  await t.rejects(pool.acquire('one'), { message: 'unavailable' })
  const both = await Promise.allSettled([pool.acquire('one'), pool.acquire('two')])
  t.same(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.equal(pool.counts.waiting, 0)
  pool.release(held)
  t.equal(await pool.acquire('three'), held)
  pool.release(held)
  await pool.close()
})
