// The wall by itself: who sees what of each table, and what nobody can write.
import t from 'tap'
import { startService } from '../../support/service.ts'
import { faults } from './faults.ts'
import { buildWorld } from './world.ts'

t.test('without the service the wall stands as it does with it', async t => {
  const service = await startService(t)
  const found: string[] = []
  for await (const fault of faults(service.superuser, await buildWorld(service))) found.push(fault)
  t.same(found, [])
})
