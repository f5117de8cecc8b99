// kill -9 of the service and of PostgreSQL during erasures: they are resumed, and the ledger has each one that is done.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Ledger } from '../../../src/oversight/erasures/ledger.ts'
import { readKeys } from '../../../src/platform/access/keys.ts'
import { registrations } from '../../../src/programs/demo/campaign.ts'
import { Client } from '../../../src/programs/demo/client.ts'
import { accountsOf, folder, run, start } from '../../programs/start/program.ts'
import { file } from '../../support/imports.ts'
import { scaled, unhurried, whileMoving } from '../length.ts'
import { aBackend, superuserOf } from './kill.ts'

const [size, kills] = [scaled(2_000), scaled(5)]

t.setTimeout(0)

t.test('killed during erasures', unhurried, t =>
  whileMoving(async moved => {
    const dataDir = `${folder()}/data`
    const first = await start(dataDir)
    const officer = accountsOf(dataDir).find(
      ({ role, organisation }) => role === 'officer' && organisation.kind === 'committee',
    )
    if (!officer) throw new Error('no officer')
    const client = await Client.signIn(first.address, officer)
    const { id } = await client.upload('/v1/imports', Readable.from(file([...registrations({ seed: 5, size })])))
    for (let done = -1; ; ) {
      const now = await client.get<{ state: string; done: number }>(`/v1/jobs/${id}`)
      if (now.state === 'done') break
      if (now.done > done) moved()
      done = now.done
      await wait(200)
    }
    const inDatabase = async <T>(work: (sql: Awaited<ReturnType<typeof superuserOf>>) => Promise<T>) => {
      const sql = await superuserOf(dataDir)
      return work(sql).finally(() => sql.end())
    }
    const count = () =>
      inDatabase(async sql => (await sql`select count(*)::int as n from erasures where state = 'done'`)[0]?.n as number)
    // As if a retention run had just been approved.
    const total = await inDatabase(
      async sql =>
        (
          await sql`insert into erasures (id, case_id, holder_id, file, legal_basis, state, requested_at, settled_at)
          select uuidv7(), id, owner_id, true, 'retention_ended', 'approved', now(), now() from cases returning id`
        ).length,
    )
    t.ok(total >= size * 0.9)
    first.child.kill('SIGKILL')
    await first.ended
    const path = join(dataDir, 'erasures.jsonl')
    const ledger = new Ledger(path, readKeys(join(dataDir, 'keys.json')))
    const progress: number[] = []
    for (let kill = 0; kill < kills; kill++) {
      moved()
      const before = await count()
      const service = run('src/programs/server.ts', { DATA_DIR: dataDir })
      while ((await count().catch(() => before)) < before + 50 + Math.random() * 200) await wait(10)
      if (kill % 2) process.kill(aBackend(dataDir), 'SIGKILL')
      service.child.kill('SIGKILL')
      await service.ended
      const done = await count()
      progress.push(done)
      t.ok(done < total, 'killed half-way')
      const known = new Set(ledger.read().map(line => line.id))
      const ids = await inDatabase(sql => sql`select id from erasures where state = 'done'`)
      t.ok(
        ids.every(({ id }) => known.has(id)),
        'the ledger lists every erasure that is done',
      )
      if (kill === 2) appendFileSync(path, readFileSync(path).subarray(0, 120)) // a line that the crash cut
    }
    t.comment(progress.join(', '))
    const starting = start(dataDir) // erases what is left first
    let erased = progress.at(-1) ?? 0
    const watch = setInterval(async () => {
      const now = await count().catch(() => erased)
      if (now > erased) moved()
      erased = now
    }, 1_000)
    const last = await starting.finally(() => clearInterval(watch))
    t.equal(await count(), total, 'all erasures are done before the service listens')
    t.equal(ledger.read().length, total)
    const [left] = await inDatabase(
      sql => sql`select (select count(*)::int from data_keys) as keys, (select count(*)::int from identifiers) as identifiers,
      (select count(*)::int from entries where operation = 'service.erase') as entries`,
    )
    t.match(left, { keys: 0, identifiers: 0, entries: total }, 'each erasure has one entry')
    const check = await run('src/programs/admin.ts', { DATA_DIR: dataDir }, ['check']).ended
    t.match(check, { code: 0, out: 'No findings\n' })
    last.child.kill('SIGTERM')
    t.equal((await last.ended).code, 0)
  }),
)
