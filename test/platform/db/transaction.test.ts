import t from 'tap'
import { z } from 'zod'
import { passingKeys } from '../../../src/platform/access/keys.ts'
import { offices } from '../../../src/platform/access/permissions.ts'
import { enterNobody, enterSession } from '../../../src/platform/db/admission.ts'
import { Database, type Tx } from '../../../src/platform/db/database.ts'
import { sql } from '../../../src/platform/db/drizzle.ts'
import { checkRows } from '../../support/rows.ts'
import { startDatabase, startService } from '../../support/service.ts'

const WhoRow = z.object({ account: z.uuid().nullable(), pid: z.int() })
const whoAmI = sql`select app.account() as account, pg_backend_pid() as pid`

/** Returns a database with one connection, two accounts, and a function that terminates a backend. */
async function oneConnection(t: Parameters<typeof startService>[0]) {
  const { as, endpoint, superuser, keys } = await startService(t)
  const [ann, bo] = [await as('caseworker', 'sunrise'), await as('caseworker', 'common-home')]
  const db = new Database(endpoint('app'), keys, { size: 1, wait: 500, deadline: 5_000, watch: checkRows })
  t.teardown(() => db.close())
  const cut = (pid: number) => superuser`select pg_terminate_backend(${pid}, 2000)`
  return { db, ann, bo, cut, enter: ({ session }: typeof ann) => enterSession(session, offices) }
}

t.test('work that outlives its connection cannot read or write in the transaction of another', async t => {
  const { db, ann, bo, cut, enter } = await oneConnection(t)
  const resume = Promise.withResolvers<void>()
  const late = Promise.withResolvers<unknown[]>()
  const pid = Promise.withResolvers<number>()
  const lost = db.transact(enter(ann), async tx => {
    pid.resolve(Number((await tx.execute(whoAmI))[0]?.pid))
    await resume.promise
    const tried = (query: ReturnType<Tx['execute']>) =>
      query.then(
        () => 'ran',
        () => 'refused',
      )
    late.resolve([
      await tried(tx.execute(whoAmI)),
      await tried(tx.execute(sql`update sessions set revoked_at = now()`)),
    ])
  })
  await Promise.all([t.rejects(lost, { message: 'unavailable' }), pid.promise.then(cut)])
  await db.transact(enter(bo), async tx => {
    t.equal((await tx.execute(whoAmI))[0]?.account, bo.account)
    resume.resolve()
    t.same(await late.promise, ['refused', 'refused'])
    t.equal((await tx.execute(whoAmI))[0]?.account, bo.account, 'the next transaction still has its own account')
  })
  await t.resolves(
    db.transact(enter(bo), tx => tx.execute(whoAmI)),
    'its session is not revoked',
  )
})

t.test('work that fails after its connection dropped harms neither the process nor the pool', async t => {
  const { db, ann, cut, enter } = await oneConnection(t)
  const lost = db.transact(enter(ann), async tx => {
    await cut(Number((await tx.execute(whoAmI))[0]?.pid))
    await tx.execute(whoAmI).then(undefined, () => {})
    throw new Error('failed afterwards')
  })
  await t.rejects(lost, { message: 'unavailable' })
  await t.resolves(db.transact(enter(ann), tx => tx.execute(whoAmI)))
  t.same(db.counts, { idle: 1, held: 0, waiting: 0 })
})

t.test('an ended transaction runs no further statements', async t => {
  const { db, ann, bo, enter } = await oneConnection(t)
  let ended: Tx | undefined
  await db.transact(enter(ann), async tx => {
    ended = tx
  })
  await db.transact(enter(bo), async () => {
    await t.rejects(async () => ended?.execute(whoAmI), 'not even while another transaction uses its connection')
  })
})

t.test('an ended transaction leaves no claims behind', async t => {
  const { db, ann, enter } = await oneConnection(t)
  await db.transact(enter(ann), tx => tx.execute(whoAmI))
  t.same(
    [...(await db.transact(enterNobody, tx => tx.execute(sql`select app.account() as account`)))],
    [{ account: null }],
  )
})

t.test('a failed transaction is rolled back, and a failed statement that was not awaited fails it', async t => {
  const { db, ann, enter } = await oneConnection(t)
  const revoke = sql`update sessions set revoked_at = now()`
  await t.rejects(
    db.transact(enter(ann), async tx => {
      await tx.execute(revoke)
      throw new Error('changed my mind')
    }),
    { message: 'changed my mind' },
  )
  await t.rejects(
    db.transact(enter(ann), async tx => {
      await tx.execute(revoke)
      tx.execute(sql`select 1 / 0`).then(undefined, () => {})
    }),
    'PostgreSQL answers such a commit with ROLLBACK, and the service throws',
  )
  await t.resolves(
    db.transact(enter(ann), tx => tx.execute(whoAmI)),
    'the session is not revoked',
  )
})

t.test('no statement runs for an ended session or for an office without the permission', async t => {
  const { db, ann, enter } = await oneConnection(t)
  const end = (tx: Tx) => tx.execute(sql`update sessions set revoked_at = app.now()`)
  await t.rejects(db.transact(enterSession(ann.session, ['auditor@oversight']), end), { message: 'forbidden' })
  await t.resolves(db.transact(enter(ann), end))
  let ran = false
  const after = async (tx: Tx) => {
    await tx.execute(whoAmI)
    ran = true
  }
  await t.rejects(db.transact(enter(ann), after))
  t.notOk(ran)
})

t.test(
  'a caller without a free connection is refused within two seconds, as is every caller while PostgreSQL is down',
  async t => {
    const { db, ann, enter } = await oneConnection(t)
    const done = Promise.withResolvers<void>()
    const long = db.transact(enter(ann), async tx => {
      await tx.execute(whoAmI)
      await done.promise
    })
    const started = performance.now()
    await t.rejects(
      db.transact(enter(ann), tx => tx.execute(whoAmI)),
      { message: 'unavailable' },
    )
    t.ok(performance.now() - started < 2_000)
    done.resolve()
    await long
    const down = new Database({ host: '/nowhere', database: 'x', user: 'app' }, passingKeys(), { size: 2 })
    await t.rejects(
      down.transact(enterNobody, tx => tx.actor),
      { message: 'unavailable' },
    )
  },
)

t.test('the database ends a statement that takes too long, and the service ends such a request', async t => {
  const { superuser, endpoint, keys } = await startDatabase(t)
  t.match(
    [
      ...(await superuser`select setconfig from pg_db_role_setting s join pg_roles r on r.oid = setrole where rolname = 'app'`),
    ],
    [{ setconfig: ['statement_timeout=8s', 'lock_timeout=4s', 'idle_in_transaction_session_timeout=10s'] }],
  )
  const db = new Database(endpoint('app'), keys, { size: 1, deadline: 100 })
  t.teardown(() => db.close())
  await t.rejects(
    db.transact(enterNobody, tx => tx.execute(sql`select pg_sleep(5)`).then(() => undefined)),
    { message: 'unavailable' },
  )
  await t.rejects(db.ask(z.object({}), sql`select from pg_sleep(5)`), { message: 'unavailable' })
  await t.resolves(
    db.transact(enterNobody, tx => tx.actor),
    'the next request has a connection again',
  )
})

t.test('a single statement is a transaction of its own, on a new connection and on a used one', async t => {
  const { db, ann, cut } = await oneConnection(t)
  const entering = sql`app.enter(${ann.session}, ${sql.param(offices)})`
  const EnteredRow = WhoRow.extend({ text: z.string(), day: z.iso.date() })
  const statement = sql`select pg_backend_pid() as pid, ${JSON.stringify({ text: 1 })}::jsonb ->> 'text' as text, date '2026-11-25' as day,
    ${entering} ->> 'account' as account`
  for (const connection of ['new', 'used', 'used']) {
    const [row] = await db.ask(EnteredRow, statement)
    t.match(row, { text: '1', day: '2026-11-25', account: ann.account }, `on a ${connection} connection`)
  }
  const [after] = await db.ask(WhoRow, whoAmI)
  t.equal(after?.account, null, 'the connection has no account afterwards')
  await cut(Number(after?.pid))
  await t.resolves(db.ask(WhoRow, whoAmI), 'a dropped connection is not used again')
})

t.test('a transaction that a deadlock ended is run again from the start', async t => {
  const { endpoint, keys } = await startDatabase(t)
  const db = new Database(endpoint('app'), keys, { size: 2, watch: checkRows })
  t.teardown(() => db.close())
  const both = Promise.withResolvers<void>()
  let begun = 0
  const locking = (first: number, second: number) => {
    let runs = 0
    return db.transact(enterNobody, async tx => {
      await tx.execute(sql`select pg_advisory_xact_lock(${first})`)
      if (++begun === 2) both.resolve()
      await both.promise
      await tx.execute(sql`select pg_advisory_xact_lock(${second})`)
      return ++runs
    })
  }
  t.same(await Promise.all([locking(1, 2), locking(2, 1)]), [1, 1], 'each was committed once')
  t.equal(begun, 3, 'one of them was run twice')
})

t.test('a transaction that always ends so is run three times', async t => {
  const { db } = await startDatabase(t)
  let runs = 0
  const failing = db.transact(enterNobody, tx => {
    runs++
    return tx.execute(sql`do $$ begin raise exception using errcode = '40001'; end $$`)
  })
  await t.rejects(failing)
  t.equal(runs, 3)
})
