// Random people take random steps on random days; after each step the service must agree with the reference model.
import fc from 'fast-check'
import t from 'tap'
import { check } from '../../casefile/invariants.ts'
import { saying } from '../../casefile/sayings.ts'
import { patient } from '../../support/patient.ts'
import { following, register } from '../../support/procedure.ts'
import { ifMatch, type Someone, startService } from '../../support/service.ts'
import { scaled, unhurried, whileMoving } from '../length.ts'
import {
  annullable,
  dateOf,
  fold,
  happen,
  lastMove,
  type Model,
  type Org,
  type Proposal,
  sees,
  validEntries,
  way,
} from './reference-model.ts'

/** A run has 40 steps on average. */
const [runs, longest, atLeast] = [scaled(70), 80, scaled(2_000)]
const actions = [
  'amend',
  'start_assessment',
  'take_up',
  'decide',
  'discontinue',
  'open_documentation',
  'record_document',
  'hand_over_document',
  'close',
  'reopen',
  'renew_basis',
  'withdraw',
  'annul',
]
/** Steps away from a document, which would be taken too often: each is likely only once in so many times. */
const aside: Record<string, number> = { amend: 5, renew_basis: 10, close: 10, discontinue: 4, withdraw: 25, annul: 5 }

/** One random step: who takes which step on which case; most of the time one that the model allows. */
const Try = fc.record({
  likely: fc.integer({ min: 0, max: 9 }).map(n => n > 2),
  on: fc.nat(1),
  who: fc.nat(),
  what: fc.nat(),
  day: fc.integer({ min: -2, max: 6 }).map(n => Math.max(n, -1)),
  stale: fc.integer({ min: 0, max: 19 }).map(n => n === 0),
})

type Tried = { likely: boolean; on: number; who: number; what: number; day: number; stale: boolean }

/** Returns the status of the first rule that applies. */
const firstOf = (...rules: [when: boolean, status: number][]) => rules.find(([when]) => when)?.[1] ?? 0

t.setTimeout(0)

t.test(`${atLeast} random steps`, unhurried, t =>
  whileMoving(async moved => {
    const { as, superuser } = await startService(t)
    const people: Record<Org, Someone[]> = {
      sunrise: [
        patient(await as('caseworker', 'sunrise')),
        patient(await as('supervisor', 'sunrise')),
        patient(await as('supervisor', 'sunrise', 1)),
      ],
      turkistan: [
        patient(await as('officer', 'turkistan')),
        patient(await as('supervisor', 'turkistan')),
        patient(await as('supervisor', 'turkistan', 1)),
      ],
      committee: [
        patient(await as('officer', 'committee')),
        patient(await as('supervisor', 'committee')),
        patient(await as('supervisor', 'committee', 1)),
      ],
      'almaty-city': [patient(await as('supervisor', 'almaty-city'))],
    }
    const everybody = (Object.keys(people) as Org[]).flatMap(org => people[org].map(who => ({ org, who })))
    const supervises = ({ role }: Someone) => role === 'supervisor'
    const done: Record<string, number> = {}
    let taken = 0
    let story: string[] = []

    const expect = ({ statusCode, body }: { statusCode: number; body: string }, expected: number, what: string) => {
      taken++
      story.push(`${what}: ${statusCode}`)
      if (statusCode !== expected) throw new Error(`${statusCode} instead of ${expected}: ${body}`)
    }

    const begin = async (owner: Org): Promise<Model> => {
      const [who] = people[owner]
      const { id } = await register(who as Someone)
      const [event] = await superuser`select id from case_events where case_id = ${id}`
      const first = {
        id: event?.id,
        action: 'register',
        from: '',
        to: 'registered',
        day: 0,
        org: owner,
        says: { region: 'KZ-75' },
      }
      return { id, owner, version: 1, entries: [first], annulled: [], proposals: [] }
    }

    const attempt = async (cases: Model[], { likely, on, who, what, day, stale }: Tried) => {
      const c = cases[on] as Model
      const pending = c.proposals
      const possible = everybody.flatMap(({ org, who }) => [
        ...actions
          .filter(action => what % (aside[action] ?? 1) === 0)
          .flatMap(action => {
            const { says, body, annuls } = saying(c, action, what)
            const how = sees(c, org) ? way(c, org, action, says, annuls) : 'no'
            return how === 'no' || (how === 'together' && pending.some(p => p.org === org))
              ? []
              : [{ org, who, action, body, says, annuls, how }]
          }),
      ])
      const proposal = pending[what % (pending.length || 1)]
      if (proposal && what % 3 !== 0)
        return settle(c, everybody[who % everybody.length] as (typeof everybody)[number], proposal, what % 4 === 0)
      const random = () => {
        const action = actions[what % actions.length] as string
        return {
          ...(everybody[who % everybody.length] as (typeof everybody)[number]),
          action,
          ...saying(c, action, who),
        }
      }
      const chosen =
        likely && possible.length ? (possible[who % possible.length] as (typeof possible)[number]) : random()
      const { org, says, annuls, action } = chosen
      const how = way(c, org, action, says, annuls)
      const occurred = Math.max(0, fold(c).day + day)
      const early = occurred < fold(c).day
      const propose =
        how === 'together' || (how === 'no' && ['decide', 'discontinue', 'record_document', 'annul'].includes(action))
      const one = following(c.id)
      const version = stale ? c.version + 1 : c.version
      const send = propose ? one.proposeOn : one.stepOn
      const response = await send(chosen.who, version, { action, occurredOn: dateOf(occurred), ...chosen.body })
      const expected = firstOf(
        [!sees(c, org), 404],
        [stale, 412],
        [how === 'no', 409],
        [early, 400],
        [propose && pending.some(p => p.org === org), 409],
        [propose, 201],
        [true, 200],
      )
      expect(
        response,
        expected,
        `case ${on}, ${fold(c).state}: ${propose ? 'proposal to ' : ''}${action} ${JSON.stringify({ ...says, annuls })} on day ${occurred} by ${org}`,
      )
      if (expected === 201)
        c.proposals.push({
          id: response.json().id,
          org,
          maker: chosen.who.account,
          action,
          day: occurred,
          says,
          on: lastMove(c),
          ...(annuls && { annuls }),
        })
      if (expected === 200) happen(c, response.json().event.id, { org, action, day: occurred, says })
      if (expected < 300) done[action] = (done[action] ?? 0) + 1
    }

    const settle = async (c: Model, { org, who }: (typeof everybody)[number], proposal: Proposal, rejects: boolean) => {
      const one = following(c.id)
      const response = rejects
        ? await who.post(`/v1/proposals/${proposal.id}/rejection`, { reason: 'No' }, ifMatch(1))
        : await one.confirm(who, proposal.id)
      const reaches = sees(c, org) && (org === proposal.org || (org === 'committee' && proposal.org === 'turkistan'))
      const possible = way(c, proposal.org, proposal.action, proposal.says, proposal.annuls) === 'together'
      const still = possible && proposal.on === lastMove(c)
      const early = proposal.day < fold(c).day
      const own = who.account === proposal.maker
      const expected = rejects
        ? firstOf([!reaches, 404], [!supervises(who) && !own, 403], [true, 200])
        : firstOf([!supervises(who), 403], [!reaches, 404], [own, 403], [!still || early, 409], [true, 200])
      expect(
        response,
        expected,
        `${fold(c).state}: ${rejects ? 'rejection' : 'confirmation'} of ${proposal.action} by ${who.email}`,
      )
      if (expected !== 200) return
      c.proposals = c.proposals.filter(({ id }) => id !== proposal.id)
      if (!rejects) happen(c, response.json().event.id, proposal)
      if (!rejects) done.confirm = (done.confirm ?? 0) + 1
    }

    const { failed, errorInstance, seed, counterexamplePath } = await fc.check(
      fc.asyncProperty(fc.noBias(fc.array(Try, { maxLength: longest, size: 'max' })), async tries => {
        story = []
        const cases = [await begin('turkistan'), await begin('sunrise')]
        for (const one of tries) {
          moved()
          await attempt(cases, one)
          await check(superuser, cases[one.on] as Model)
        }
        for (const c of cases)
          for (const { org, who } of everybody) {
            const { allowedActions = [] } = (await who.get(`/v1/cases/${c.id}`)).json()
            const own = validEntries(c).find(entry => entry.org === org && annullable(c, entry))?.id
            const may = (action: string) => way(c, org, action, saying(c, action, 1).says, own) !== 'no'
            const expected = sees(c, org) ? actions.filter(may).sort() : []
            const known = allowedActions.filter((action: string) => actions.includes(action))
            if (String(known.sort()) !== String(expected))
              throw new Error(`${org} in ${fold(c).state} may ${allowedActions} instead of ${expected}`)
          }
      }),
      { numRuns: runs },
    )
    // The story is the shortest sequence of steps that still fails.
    t.notOk(
      failed,
      `${errorInstance}\n${story.join('\n')}\nseed ${seed}, path ${counterexamplePath}`.slice(0, failed ? 10_000 : 0),
    )
    t.ok(taken >= atLeast, `${taken} steps`)
    t.comment(JSON.stringify(done))
    for (const action of actions) t.ok(done[action], `${action} happened`)
  }),
)
