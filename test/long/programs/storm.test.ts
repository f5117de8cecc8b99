// kill -9 of the service and of PostgreSQL under load, 20 times at random: nothing acknowledged is lost, nothing is stored
// twice or partially, and every event has its audit entry.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { findings } from '../../../src/oversight/audit/holds.ts'
import { Cluster } from '../../../src/platform/embedded/cluster.ts'
import { accountsOf, folder, pidOf, start } from '../../programs/start/program.ts'
import { scaled, unhurried, whileMoving } from '../length.ts'
import { aBackend, superuserOf } from './kill.ts'
import { caseworker, officer, Storm } from './storm-clients.ts'

const kills = scaled(20)

t.setTimeout(0)

t.test(`killed ${kills} times under load`, unhurried, t =>
  whileMoving(async moved => {
    const dataDir = `${folder()}/data`
    let service = await start(dataDir)
    const begun = Date.now()
    const storm = new Storm(service.address)
    const killed: Record<string, number> = {}
    t.teardown(() => {
      storm.abandoned = true
      service.child.kill('SIGKILL')
    })
    const accountOf = (name: string) => {
      const found = accountsOf(dataDir).find(({ email }) => email.startsWith(`${name}@`))
      if (!found) throw new Error(`no ${name}`)
      return found
    }
    const [division, iom] = [accountOf('bolat').organisation.id, accountOf('marta').organisation.id]
    const as = (name: string) => storm.as(accountOf(name))
    const clients = Promise.all([
      ...(await Promise.all(['asel', 'ruslan', 'dina', 'zarina', 'anton'].map(as))).map(post =>
        caseworker(storm, post, division, iom),
      ),
      ...(await Promise.all(['bolat', 'saule', 'marat'].map(as))).map(post => officer(storm, post)),
    ])
    clients.catch(() => {}) // awaited below

    const restart = async () => {
      service = await start(dataDir)
      storm.address = service.address
    }
    let left = false
    const victims: Record<string, () => Promise<unknown>> = {
      service: async () => {
        service.child.kill('SIGKILL')
        await service.ended
        await restart()
      },
      backend: async () => process.kill(aBackend(dataDir), 'SIGKILL'), // PostgreSQL restarts by itself
      // The service starts it again. Every second time it is stopped meanwhile: more than five starts in ten minutes end it.
      postmaster: async () => {
        process.kill(pidOf(dataDir), 'SIGKILL')
        const ready = async () => (await fetch(`${service.address}/health/ready`)).status
        while ((await ready()) !== 503) await wait(20)
        left = !left
        if (left) return
        service.child.kill('SIGTERM')
        await service.ended
        await restart()
      },
    }
    /** Waits until the service has acknowledged further requests. */
    const untilAcknowledged = async (answers = 10) => {
      const before = storm.acknowledged.length
      while (storm.acknowledged.length < before + answers) await Promise.race([wait(20), clients])
    }
    const where = async () => {
      const { exitCode, signalCode } = service.child
      return {
        ...{ killed, acknowledged: storm.acknowledged.length, lastRefusal: storm.lastRefusal },
        ready: await fetch(`${service.address}/health/ready`).then(({ status }) => status, String),
        service: exitCode ?? signalCode ?? 'running',
        errors: service.output.err.slice(-2_000),
        log: service.output.out.slice(-2_000),
      }
    }
    for (let kill = 0; kill < kills; kill++) {
      moved(where)
      await untilAcknowledged()
      await wait(Math.random() * 600)
      const victim = ['backend', 'service', 'backend', 'postmaster'][kill % 4] ?? ''
      killed[victim] = (killed[victim] ?? 0) + 1
      await victims[victim]?.()
    }
    await untilAcknowledged()
    storm.over = true
    await clients

    const sql = await superuserOf(dataDir)
    const { cases, notes, referrals, acknowledged, repeated } = storm
    const sorted = (lines: (string | number)[][]) => lines.map(line => line.join(' ')).sort()
    const events = await sql`select c.id, c.version, array_to_string(array_agg(e.action order by e.id), ',') as actions
    from cases c left join case_events e on e.case_id = c.id group by c.id`
    t.same(
      sorted(events.map(({ id, version, actions }) => [id, version, actions])),
      sorted(cases.map(({ id, actions }) => [id, actions.length, actions.join()])),
      'each case once, with each of its events once, in order, and a version for each event',
    )
    const states = await sql`select id, state from referrals`
    t.same(sorted(states.map(({ id, state }) => [id, state])), sorted([...referrals]), 'each referral')
    const written = await sql`select id from notes`
    t.same(written.map(({ id }) => id).sort(), notes.sort(), 'each note')
    const given = await sql`select case_id as id from grants where purpose = 'legal_aid' and closed_at is null`
    t.same(given.map(({ id }) => id).sort(), cases.map(({ id }) => id).sort(), 'each grant')
    const keys = await sql`select key from idempotency where status is not null`
    t.same(keys.map(({ key }) => key).sort(), acknowledged.map(({ key }) => key).sort(), 'each key')
    const entries = await sql`select convert_from(content, 'UTF8')::jsonb ->> 'request' as request from entries
    where outcome = 'done' and account_id is not null`
    const recorded = new Set(entries.map(({ request }) => request))
    t.same(
      acknowledged.filter(({ request }) => !recorded.has(request)),
      [],
      'each acknowledged request has its entry',
    )
    t.same(await findings((await Cluster.start(dataDir)).endpoint('owner')), [], 'no findings')
    t.comment(
      JSON.stringify({ ...killed, seconds: Math.round((Date.now() - begun) / 1000) }),
      JSON.stringify({
        acknowledged: acknowledged.length,
        replyLost: entries.length - acknowledged.length,
        repeated,
        cases: cases.length,
        referrals: referrals.size,
      }),
    )
    await sql.end()
    service.child.kill('SIGTERM')
    await service.ended
  }),
)
