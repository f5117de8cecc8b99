import t from 'tap'
import { Client } from '../../../src/programs/demo/client.ts'
import { accountsOf, folder, start } from './program.ts'

t.test('the audit log has an entry for each migration, start and stop of the service', async t => {
  const dataDir = `${folder()}/data`
  const first = await start(dataDir)
  first.child.kill('SIGTERM')
  t.equal((await first.ended).code, 0)
  const second = await start(dataDir)
  const auditor = accountsOf(dataDir).find(({ role }) => role === 'auditor')
  if (!auditor) throw new Error('no auditor')
  const client = await Client.signIn(second.address, auditor)
  const operations = ['service.start', 'service.stop', 'admin.migrate'].map(name => `operation=${name}`).join('&')
  t.match(await client.get(`/v1/audit/entries?${operations}`), {
    items: [
      { operation: 'service.start' },
      { operation: 'service.stop', outcome: 'done', cases: [] },
      { operation: 'service.start' },
      { operation: 'admin.migrate', migrations: [/^tables.0001/] },
    ],
  })
  second.child.kill('SIGTERM')
  await second.ended
})
