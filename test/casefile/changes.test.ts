// The list of changes misses none, however late a change was committed.
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { NewCase } from '../../src/casefile/cases/contract.ts'
import { register as registerIn } from '../../src/casefile/cases/register.ts'
import { openTo } from '../support/opening.ts'
import { register } from '../support/procedure.ts'
import { registration, type Someone, startService } from '../support/service.ts'

const begin = '2020-01-01T00:00:00.000Z'
type Item = { id: string; version: number }

/** Reads all pages of the changes since an instant. Returns them, with the `syncedThrough` of one of the pages. */
async function changesSince(who: Someone, since: string, { limit = 200, page: which = 0 } = {}) {
  const items: Item[] = []
  const instants: string[] = []
  let url: string | undefined = `/v1/cases?updatedSince=${since}&limit=${limit}`
  while (url) {
    const response: Awaited<ReturnType<Someone['get']>> = await who.get(url)
    const page = response.json()
    items.push(...page.items)
    instants.push(page.syncedThrough)
    url = /<(.+)>/.exec(String(response.headers.link ?? ''))?.[1]
  }
  return { items, syncedThrough: instants[which % instants.length] ?? '' }
}

t.test('a late commit is not missed', async t => {
  const { as, workAs } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const early = await register(asel)
  const [written, mayCommit] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()]
  const late = workAs(asel, 'cases:register', async tx => {
    written.resolve(await registerIn(tx, NewCase.parse(registration())))
    await mayCommit.promise
  })
  const lateId = await written.promise
  const after = await register(asel)
  const first = await changesSince(asel, begin)
  t.same(
    first.items.map(({ id }) => id),
    [early.id],
    'a change after an open transaction is not listed yet',
  )
  mayCommit.resolve()
  await late
  await wait(2)
  const second = await changesSince(asel, first.syncedThrough)
  t.same(second.items.map(({ id }) => id).sort(), [lateId, after.id].sort(), 'both are listed the next time')
  t.same((await changesSince(asel, second.syncedThrough)).items, [])
  await after.step(asel, { action: 'start_assessment' })
  await wait(2)
  t.match((await changesSince(asel, second.syncedThrough)).items, [{ id: after.id, version: 2 }])
})

t.test('no change of writers that commit at random times is lost', async t => {
  const { as, workAs } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const seen = new Map<string, number>()
  const Writer = fc.record({ begins: fc.nat(30), holds: fc.nat(60) })
  const made: string[] = []
  let since = begin
  const sync = async (limit: number, page: number) => {
    const { items, syncedThrough } = await changesSince(asel, since, { limit, page })
    for (const { id, version } of items) seen.set(id, version)
    since = syncedThrough
  }
  const run = async (writers: { begins: number; holds: number }[], limit: number, page: number) => {
    let writing = true
    const written = Promise.all(
      writers.map(async ({ begins, holds }) => {
        await wait(begins)
        await workAs(asel, 'cases:register', async tx => {
          made.push(await registerIn(tx, NewCase.parse(registration())))
          await wait(holds)
        })
      }),
    ).finally(() => {
      writing = false
    })
    while (writing) await sync(limit, page)
    await written
    await wait(2)
    await sync(limit, page)
    const missing = made.filter(id => !seen.has(id))
    if (missing.length) throw new Error(`${missing.length} of ${made.length} are missing`)
  }
  const args = [fc.array(Writer, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 5 }), fc.nat(9)] as const
  await fc.assert(fc.asyncProperty(...args, run), { numRuns: 25, endOnFailure: true })
  t.ok(made.length > 25)
})

t.test('opening a case to an organisation is a change for that organisation only', async t => {
  const { as, superuser } = await startService(t)
  const [asel, nurlan, bolat] = [
    await as('caseworker', 'sunrise'),
    await as('officer', 'turkistan'),
    await as('officer', 'almaty-city'),
  ]
  const { id } = await register(asel)
  await wait(2)
  const { syncedThrough } = await changesSince(asel, begin)
  const open = (to: Someone) => openTo(superuser, id, asel, to, { purpose: 'status_determination' })
  await open(nurlan)
  await wait(2)
  const mine = await changesSince(nurlan, syncedThrough)
  t.match(mine.items, [{ id, version: 1 }])
  await open(bolat)
  await wait(2)
  t.same((await changesSince(nurlan, mine.syncedThrough)).items, [], 'a grant to another organisation is not listed')
  t.same((await changesSince(asel, syncedThrough)).items, [])
})

t.test('a cursor of one order is refused in the other', async t => {
  const { as } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  for (let n = 0; n < 2; n++) await register(asel)
  await wait(2)
  const cursors = [`?limit=1`, `?limit=1&updatedSince=${begin}`]
  const [newest, changed] = await Promise.all(
    cursors.map(async query => (await asel.get(`/v1/cases${query}`)).json().nextCursor),
  )
  const refused = { status: 400, errors: [{ pointer: '#/query/cursor' }] }
  t.match((await asel.get(`/v1/cases?cursor=${changed}`)).json(), refused)
  t.match((await asel.get(`/v1/cases?cursor=${newest}&updatedSince=${begin}`)).json(), refused)
  t.equal((await asel.get(`/v1/cases?cursor=${newest}`)).statusCode, 200)
})
