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
  const first = await pool.acquire()
  proxy.resets = true // a reset while types are read would end the process
  const second = await pool.acquire()
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
