// The policies without the service: who sees which rows of each table, and which writes are refused.
import t from 'tap'
import { startService } from '../../support/service.ts'
import { faults } from './faults.ts'
import { buildWorld } from './world.ts'

t.test('the policies alone show and refuse the same as the service', async t => {
  const service = await startService(t)
  const found: string[] = []
  for await (const fault of faults(service.superuser, await buildWorld(service))) found.push(fault)
  t.same(found, [])
})
