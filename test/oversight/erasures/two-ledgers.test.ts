// Two processes on one database, each with a ledger of its own.
import { copyFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { buildApp } from '../../../src/app.ts'
import { approving, asking, erased, people, untilDone } from '../../support/erasing.ts'
import { register } from '../../support/procedure.ts'
import { ifMatch, ledgerOf, startService } from '../../support/service.ts'

t.test('a process whose ledger lacks erasures of the database erases nothing and is not ready', async t => {
  const service = await startService(t, { alone: false })
  const { db, ledger, keys, lines } = service
  const { asel, dina } = await people(service)
  const elsewhere = ledgerOf(t, keys)
  const said: string[] = []
  const second = await buildApp({
    db,
    ledger: elsewhere,
    config: { logLevel: 'info', trustedProxies: [], rateLimit: 1_000_000, importLimit: 1 },
    log: { write: line => void said.push(line) },
  })
  service.watch(second)
  t.teardown(() => second.close())
  const ready = async () => (await second.inject({ url: '/health/ready' })).json()
  const notReady = (of: string[]) => of.filter(line => line.includes('Not ready'))
  const approveThere = (id: string) =>
    second.inject({
      method: 'POST',
      url: `/v1/erasures/${id}/approval`,
      headers: { authorization: `Bearer ${dina.accessToken}`, ...ifMatch(1) },
    })
  const withdrawn = async () => {
    const one = await register(asel)
    await one.step(asel, { action: 'start_assessment', occurredOn: '2021-03-08' })
    await one.step(asel, { action: 'withdraw' })
    return one
  }
  const [first, other, third] = [await withdrawn(), await withdrawn(), await withdrawn()]
  t.match(await ready(), { status: 'ok' })
  const done = await erased(asel, dina, first.id)

  const asked = (await asking(asel, other.id)).json()
  t.equal((await approveThere(asked.id)).statusCode, 200)
  for (let left = 200; left && !notReady(said).length; left--) await wait(10)
  t.match(notReady(said), [/ERASURE_LEDGER .+ lacks 1 erasures of this database/])
  t.match(await ready(), {
    status: 503,
    type: '/problems/unavailable',
    detail: 'ERASURE_LEDGER does not fit the database',
  })
  t.same(elsewhere.read(), [], 'nothing was written to its ledger')
  t.match((await other.read(asel)).person.identity.sex, 'male', 'nothing was erased')
  t.match((await asel.get(`/v1/erasures/${asked.id}`)).json(), { state: 'approved' })

  const askedToo = (await asking(asel, third.id)).json()
  await approving(dina, askedToo.id)
  await untilDone(dina, askedToo.id)
  t.same(
    ledger.read().map(({ id }) => id),
    [done.id, asked.id, askedToo.id],
    'the process with the right ledger does both',
  )
  t.equal(notReady(lines).length, 0)

  copyFileSync(ledger.path, elsewhere.path)
  const fourth = await withdrawn()
  const last = (await asking(asel, fourth.id)).json()
  await approveThere(last.id)
  await untilDone(dina, last.id)
  for (let left = 200; left && (await ready()).status !== 'ok'; left--) await wait(10)
  t.match(await ready(), { status: 'ok' }, 'ready with a copy of the right ledger')
  t.equal(notReady(said).length, 1, 'the log says it once')
  t.equal(elsewhere.read().length, 4)
})
