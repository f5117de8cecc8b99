// Random organisations share, refer, decide, revoke and wait; after each step every path must show what the model predicts.
import fc from 'fast-check'
import t from 'tap'
import { findings } from '../../../src/oversight/audit/holds.ts'
import { entrustCases } from '../../../src/oversight/closing/entrust.ts'
import { expireReferrals } from '../../../src/procedure/referrals/expire.ts'
import { type Reading, read, readInSql } from '../../casefile/wall/paths.ts'
import { patient } from '../../support/patient.ts'
import { idempotencyKey, intake, registration, type Someone, startService } from '../../support/service.ts'
import { between, unhurried, whileMoving } from '../length.ts'
import { type Move, pick, type Who } from './move.ts'
import { moves } from './moves.ts'
import {
  all,
  byStatute,
  type Case,
  clock,
  committeeOf,
  counts,
  decide,
  entrust,
  isAuthority,
  type Org,
  over,
  ownBasis,
} from './reference-model.ts'

const steps = between(600, 10_000)
const longest = 300
/** After so many steps every case is read, not only the changed one: rarer in a long run, which has more cases. */
const sweepEvery = between(100, 1_000)

const Try = fc.record({
  likely: fc.integer({ min: 0, max: 9 }).map(n => n > 1),
  on: fc.nat(1),
  which: fc.nat(),
  n: fc.nat(),
  waits: fc.integer({ min: 0, max: 11 }).map(n => n === 0),
})

t.setTimeout(0)

t.test(`${steps} random steps`, unhurried, t =>
  whileMoving(async moved => {
    const service = await startService(t)
    const { as, superuser, db, organisation } = service
    const orgs: Org[] = ['sunrise', 'common-home', 'iom', 'almaty-city', 'turkistan', 'committee']
    const people: Who[] = []
    for (const org of orgs)
      people.push({
        org,
        who: patient(await as('supervisor', org)),
        maker: patient(await as(isAuthority(org) ? 'officer' : 'caseworker', org)),
      })
    const someone = (org: Org) => people.find(one => one.org === org)?.who as Someone
    const byId = new Map(orgs.map(org => [organisation(org).id, org]))
    const shortOf = (id: string) => byId.get(id) as Org
    const campaign = (
      await someone('committee').post('/v1/campaigns', { name: 'Model', startsOn: '2020-01-01' })
    ).json().id
    await superuser`update installation set custodian_id = ${organisation('iom').id}`
    const [start] = await superuser`select app.today()::text as today`
    const dateOf = (day: number) => new Date(Date.parse(start?.today) + day * 86_400_000).toISOString().slice(0, 10)
    const everything: Case[] = []
    const done: Record<string, number> = {}
    let [day, taken, families, readings] = [0, 0, 0, 0]
    let story: string[] = []
    /** A failure is reported as the shortest sequence found within two minutes. */
    let tooLate = Number.POSITIVE_INFINITY
    let broken = false
    const isOver = () => (taken >= steps && !broken) || performance.now() > tooLate

    const begin = async (org: Org): Promise<Case> => {
      const family = `Үлгі${++families}`
      const body = isAuthority(org) ? intake(family) : registration(family)
      const person = { ...body.person, contact: {}, whereabouts: {}, protection: {} }
      const { id, number } = (
        await someone(org).post('/v1/cases', { ...body, person, campaignId: campaign }, idempotencyKey())
      ).json()
      const c: Case = {
        id,
        number,
        family,
        owner: org,
        inCustody: false,
        handler: null,
        state: 'registered',
        child: false,
        corrections: 0,
        grants: [ownBasis(org)],
        referrals: [],
        notes: [],
        typed: new Set(),
        erased: false,
      }
      byStatute(c, committeeOf(org))
      everything.push(c)
      return c
    }
    const hold = (org: Org, { path, read, expected }: Reading) => {
      readings++
      if (JSON.stringify(read) !== JSON.stringify(expected))
        throw new Error(`${org} reads ${path}: ${JSON.stringify(read)} instead of ${JSON.stringify(expected)}`)
    }
    const check = async (c: Case) => {
      const registered = (org: Org) => everything.filter(one => counts(one, org, day)).length
      const readings = people.map(async ({ org, who }) => {
        const [onPaths, inSql, report] = await Promise.all([
          read(who, org, c, { day, campaign, shortOf, zone: pick(all, taken) }),
          readInSql(superuser, who, org, c, day),
          who.get(`/v1/reports/campaign-progress?campaignId=${campaign}`),
        ])
        const counted = { path: 'report', read: report.json().totals?.registered, expected: registered(org) }
        for (const reading of [...onPaths, inSql, counted]) hold(org, reading)
      })
      await Promise.all(readings)
    }
    const wait = async (days: number) => {
      day += days
      clock.day = day
      await service.travel(day)
      story.push(`${days} days later`)
    }
    /** Expires the offers that were not accepted in time. */
    const sweep = async () => {
      const due = everything.flatMap(c => c.referrals.filter(r => over(r, day)).map(r => [c, r] as const))
      for (const [c, referral] of due) decide(c, referral, 'expire')
      hold('committee', { path: 'sweep', read: await expireReferrals(db), expected: due.length })
    }
    /** An NGO closes, its cases go to the custodian, and it is opened again. */
    const closeNgo = async (ngo: Org) => {
      const change = (status: string) =>
        superuser`update organisations set status = ${status} where short_name = ${ngo}`
      await change('closing')
      await superuser`update organisations set closing_until = app.today() - 1 where short_name = ${ngo}`
      const left = everything.filter(c => c.owner === ngo && c.state !== 'withdrawn' && !c.erased)
      for (const c of left) entrust(c)
      hold('iom', { path: 'custody', read: await entrustCases(db), expected: left.length })
      await change('active')
      story.push(`${ngo} closed`)
      done.entrust = (done.entrust ?? 0) + left.length
    }
    const attempt = async (c: Case, { likely, which, n }: { likely: boolean; which: number; n: number }) => {
      const possible = moves(c, n, { day, dateOf, people })
      const likelier = possible.filter(({ status }) => status < 300)
      const chosen = pickOf(likely && likelier.length ? likelier : possible, which)
      const reply = await chosen.send()
      story.push(`case ${c.family}, ${c.state}: ${chosen.what}: ${reply.statusCode}`)
      if (reply.statusCode !== chosen.status)
        throw new Error(`${reply.statusCode} instead of ${chosen.status}: ${reply.body}`)
      if (reply.statusCode < 300) {
        chosen.makes(reply)
        const [name = ''] = chosen.what.split(' ')
        done[name] = (done[name] ?? 0) + 1
      }
    }
    /** Picks a move; rarely a withdrawal, because after it few other moves are possible. */
    const pickOf = (list: readonly Move[], n: number) => {
      const rarer = n % 20 ? list.filter(({ what }) => !what.startsWith('withdraw')) : list
      return (rarer.length ? rarer : list)[n % (rarer.length || list.length)] as Move
    }

    const step = async (c: Case, { waits, ...one }: { waits: boolean; likely: boolean; which: number; n: number }) => {
      if (waits) await wait(1 + (one.n % 6))
      else await attempt(c, one)
      if (waits && one.which % 2) await sweep()
      if (waits && one.which % 3 === 0 && !isAuthority(c.owner) && c.owner !== 'iom') await closeNgo(c.owner)
      await check(c)
      if (++taken % sweepEvery === 0) for (const each of everything) await check(each)
    }

    const { failed, errorInstance, seed, counterexamplePath } = await fc.check(
      fc.asyncProperty(fc.noBias(fc.array(Try, { maxLength: longest, size: 'max' })), async tries => {
        if (isOver()) return
        story = []
        const cases = [await begin(orgs[families % 3] as Org), await begin(families % 2 ? 'turkistan' : 'almaty-city')]
        for (const one of tries) {
          if (isOver()) return
          moved()
          await step(cases[one.on] as Case, one).catch(error => {
            if (!broken) t.comment(`${error}\n${story.slice(-40).join('\n')}`) // before it is shrunk
            if (!broken) tooLate = performance.now() + 120_000
            broken = true
            throw error
          })
        }
      }),
      { numRuns: steps },
    )
    // The story is the shortest sequence of steps that still fails, or the end of a long one.
    t.notOk(
      failed,
      failed ? `${errorInstance}\n${story.slice(-60).join('\n')}\nseed ${seed}, path ${counterexamplePath}` : '',
    )
    t.ok(failed || taken >= steps, `${taken} steps`)
    t.same(await findings(service.endpoint('owner')), [])
    t.comment(JSON.stringify({ taken, readings, ...done }))
  }),
)
