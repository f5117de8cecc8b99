// kill -9 of the service and of PostgreSQL at random moments of an import: every row is imported exactly once.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { columns } from '../../../src/exchange/imports/row.ts'
import { registrations } from '../../../src/programs/demo/campaign.ts'
import { Client } from '../../../src/programs/demo/client.ts'
import { accountsOf, folder, pidOf, start } from '../../programs/start/program.ts'
import { file } from '../../support/imports.ts'
import { scaled, unhurried, whileMoving } from '../length.ts'
import { aBackend, superuserOf } from './kill.ts'

const [size, kills] = [scaled(12_000), scaled(10)]

t.setTimeout(0)

t.test(`killed ${kills} times during an import`, unhurried, t =>
  whileMoving(async moved => {
    const dataDir = `${folder()}/data`
    let service = await start(dataDir)
    const officer = accountsOf(dataDir).find(
      ({ role, organisation }) => role === 'officer' && organisation.kind === 'committee',
    )
    if (!officer) throw new Error('no officer')
    let client = await Client.signIn(service.address, officer)
    const rows = [...registrations({ seed: 3, size })]
    const uploaded = await fetch(`${service.address}/v1/imports`, {
      method: 'POST',
      body: file(rows),
      headers: { 'content-type': 'text/csv', authorization: `Bearer ${client.token}` },
    })
    const { id } = (await uploaded.json()) as { id: string }
    type State = { state: string; done: number }
    /** Reads the job; repeats the request while PostgreSQL restarts (503) and over the rate limit (429). */
    const job = (): Promise<State> =>
      client
        .get<State>(`/v1/jobs/${id}`)
        .catch(error => (/: (429|503) /.test(error) ? wait(100).then(job) : Promise.reject(error)))

    const progress: string[] = []
    let stage = ''
    const errors = () => service.output.out.split('\n').filter(line => /"level":[45]0/.test(line))
    const where = async () => ({ stage, killed: progress.length, job: await job(), errors: errors().slice(-5) })
    for (let kill = 0; kill < kills; kill++) {
      moved(where)
      stage = 'waiting for the next batch'
      // Ends the lease of the killed worker, so that the test need not wait for its expiry.
      const sql = await superuserOf(dataDir)
      await sql`update jobs set leased_until = now() where state = 'running'`
      await sql.end()
      const { done, state } = await job()
      if (state === 'done') break // on a slow machine the import goes further between two kills
      for (let now = done; now <= done; now = (await job()).done) await wait(150)
      stage = 'killing'
      await wait(Math.random() * 900)
      const victim = ['service', 'backend', 'both'][kill % 3] ?? ''
      progress.push(`${victim} at ${(await job()).done}`)
      if (victim !== 'service') process.kill(victim === 'backend' ? aBackend(dataDir) : pidOf(dataDir), 'SIGKILL')
      if (victim === 'backend') await wait(1_000)
      else {
        service.child.kill('SIGKILL')
        await service.ended
        stage = 'starting'
        service = await start(dataDir)
      }
      stage = 'waiting until it is ready'
      while (!(await fetch(`${service.address}/health/ready`)).ok) await wait(150)
      client = await Client.signIn(service.address, officer)
    }
    t.comment(progress.join(', '))
    t.ok(progress.length > kills / 4, `killed ${progress.length} times`)
    const sql = await superuserOf(dataDir)
    await sql`update jobs set leased_until = now() where state = 'running'`
    stage = 'importing the rest'
    for (let done = -1; ; ) {
      const now = await job()
      if (now.state !== 'running') break
      if (now.done !== done) moved(where)
      done = now.done
      await wait(100)
    }
    t.match(await job(), { state: 'done', done: size, total: size, registered: size, existing: 0, rejectedRows: 0 })
    const counts = await sql`select
    (select count(*)::int from cases) as cases, (select count(distinct external_hmac)::int from cases) as persons,
    (select count(*)::int from case_events where action = 'import_registered') as registered,
    (select count(*)::int from case_events where action = 'import_decided') as decided,
    (select count(*)::int from case_events where action = 'import_documented') as documented,
    (select count(distinct (job_id, line))::int from case_events) as lines,
    (select count(*)::int from documents) as documents, (select count(*)::int from decisions) as decisions,
    (select count(*)::int from zone_versions) as zones, (select count(*)::int from import_chunks) as chunks`
    const having = (column: (typeof columns)[number]) => rows.filter(row => row[column]).length
    t.same(counts[0], {
      ...{ cases: size, persons: size, registered: size, lines: size, zones: size, chunks: 0 },
      ...{ decided: having('outcome'), decisions: having('outcome') },
      ...{ documented: having('documentType'), documents: having('documentType') },
    })
    await sql.end()
    service.child.kill('SIGTERM')
    await service.ended
  }),
)
