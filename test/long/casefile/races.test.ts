// Pairs and triples of moves on one case at random instants, on connections of their own. Afterwards `admin check` has no
// finding about the case, and no reply is a server error: a deadlock is not the caller's concern.
import fc from 'fast-check'
import t from 'tap'
import { findings } from '../../../src/oversight/audit/holds.ts'
import { assessed, consent, offering, referred, submittedWith } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, type Someone, startService } from '../../support/service.ts'
import { between, unhurried, whileMoving } from '../length.ts'

t.setTimeout(0)

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
/** Tries on one database, each on a case of its own, before the findings of all of them are read. */
const perDatabase = 100

type People = Record<'asel' | 'dina' | 'aigerim' | 'zarina' | 'marta' | 'bolat', Someone>
type Ids = { id: string; version: number; parent: string; child: string | undefined; offer: string | undefined }
type Reply = { statusCode: number; body: string }
type Move = (who: People, ids: Ids) => PromiseLike<Reply>

const offers = {
  none: undefined,
  service: (who: People) => ({
    kind: 'service',
    to: who.marta.organisation.id,
    grant: { ...submittedWith, purpose: 'legal_aid' },
  }),
  submission: (who: People) => ({ kind: 'submission', to: who.bolat.organisation.id, grant: submittedWith }),
  transfer: (who: People) => ({ kind: 'transfer', to: who.zarina.organisation.id, basis: consent }),
}

const grant = (to: Someone, more: object) => ({
  to: to.organisation.id,
  purpose: 'legal_aid',
  zones: ['identity'],
  validUntil: '2031-11-23',
  ...more,
})
const give = (from: Someone, { id }: Ids, body: object) => from.post(`/v1/cases/${id}/grants`, body, idempotencyKey())
const revoke = (who: Someone, id = crypto.randomUUID() as string) =>
  who.post(`/v1/grants/${id}/revocation`, undefined, ifMatch(1))
const decide = (who: Someone, { offer = crypto.randomUUID() }: Ids, decision: string, version = 1) =>
  referred(offer).decideOn(who, version, { decision, ...(decision === 'accept' ? {} : { reason: 'incomplete' }) })
const step = (who: Someone, { id, version }: Ids, body: object) =>
  who.post(`/v1/cases/${id}/transitions`, body, { ...idempotencyKey(), ...ifMatch(version) })

const moves: Record<string, Move> = {
  'revoke the parent': ({ asel }, { parent }) => revoke(asel, parent),
  'give onward': ({ zarina, marta }, ids) => give(zarina, ids, grant(marta, { validUntil: '2030-01-01' })),
  'revoke what was given onward': ({ zarina }, { child }) => revoke(zarina, child),
  'give to IOM': ({ asel, marta }, ids) => give(asel, ids, grant(marta, { basis: consent })),
  'give in vital interest': ({ dina, marta }, ids) =>
    give(dina, ids, grant(marta, { basis: { kind: 'vital_interest', reason: 'In hospital' } })),
  offer: ({ asel, zarina }, { id, version }) =>
    asel.post(
      `/v1/cases/${id}/referrals`,
      { kind: 'service', to: zarina.organisation.id, grant: { ...submittedWith, purpose: 'legal_aid' } },
      { ...idempotencyKey(), ...ifMatch(version) },
    ),
  'accept as IOM': ({ marta }, ids) => decide(marta, ids, 'accept'),
  'accept as the division': ({ bolat }, ids) => decide(bolat, ids, 'accept'),
  'accept as the other NGO': ({ zarina }, ids) => decide(zarina, ids, 'accept'),
  decline: ({ bolat }, ids) => decide(bolat, ids, 'decline'),
  recall: ({ asel }, ids) => decide(asel, ids, 'recall'),
  return: ({ bolat }, ids) => decide(bolat, ids, 'return', 2),
  withdraw: ({ asel }, ids) => step(asel, ids, { action: 'withdraw' }),
  close: ({ asel }, ids) => step(asel, ids, { action: 'close', reason: 'error' }),
  amend: ({ asel }, ids) => step(asel, ids, { action: 'amend', regionCode: 'KZ-61', reason: 'Moved' }),
  assign: ({ dina }, { id, version }) => dina.patch(`/v1/cases/${id}`, { assigneeId: dina.account }, ifMatch(version)),
  'write a zone': ({ asel }, { id }) => asel.put(`/v1/cases/${id}/person/contact`, {}, ifMatch(0)),
  'write a zone as the other NGO': ({ zarina }, { id }) => zarina.put(`/v1/cases/${id}/person/contact`, {}, ifMatch(0)),
  'write a note': ({ zarina }, { id }) => zarina.post(`/v1/cases/${id}/notes`, { text: 'x' }),
  'ask for erasure': ({ aigerim }, { id }) =>
    aigerim.post(`/v1/cases/${id}/erasures`, { legalBasis: 'person_request', reason: 'x' }, idempotencyKey()),
  read: ({ marta }, { id }) => marta.get(`/v1/cases/${id}`),
}

const plan = fc.record({
  offer: fc.constantFrom(...(Object.keys(offers) as (keyof typeof offers)[])),
  onward: fc.boolean(),
  moves: fc.array(fc.tuple(fc.constantFrom(...Object.keys(moves)), fc.nat(8)), { minLength: 2, maxLength: 3 }),
})

t.test(`moves at the same instant leave nothing that cannot be (seed ${seed})`, unhurried, async t => {
  const plans = fc.sample(plan, { seed, numRuns: between(700, 20_000) })
  const statuses = new Map<number, number>()
  await whileMoving(async moved => {
    for (let at = 0; at < plans.length; at += perDatabase)
      await t.test(`tries from ${at}`, unhurried, async t => {
        const { as, endpoint } = await startService(t)
        const who: People = {
          asel: await as('caseworker', 'sunrise'),
          dina: await as('supervisor', 'sunrise'),
          aigerim: await as('supervisor', 'sunrise', 1),
          zarina: await as('caseworker', 'common-home'),
          marta: await as('caseworker', 'iom'),
          bolat: await as('officer', 'almaty-city'),
        }
        const stories = new Map<string, string>()
        for (const { offer, onward, moves: chosen } of plans.slice(at, at + perDatabase)) {
          const story = JSON.stringify({ offer, onward, chosen })
          const one = await assessed(who.asel)
          const ids: Ids = { id: one.id, version: 0, parent: '', child: undefined, offer: undefined }
          ids.parent = (await give(who.asel, ids, grant(who.zarina, { onward: true, basis: consent }))).json().id
          await give(who.asel, ids, grant(who.zarina, { purpose: 'case_conference', basis: consent }))
          if (onward)
            ids.child = (await give(who.zarina, ids, grant(who.marta, { validUntil: '2029-01-01' }))).json().id
          const body = offers[offer]?.(who)
          if (body) ids.offer = (await offering(one, who.asel, body)).json().id
          ids.version = await one.version(who.asel)
          const replies = await Promise.all(
            chosen.map(async ([move, ms]) => {
              await new Promise(resolve => setTimeout(resolve, ms))
              return moves[move]?.(who, ids)
            }),
          )
          for (const [n, reply] of replies.entries()) {
            const { statusCode = 0, body = '' } = reply ?? {}
            statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
            if (statusCode >= 500) t.fail(`${chosen[n]} is answered ${statusCode}: ${body} in ${story}`)
          }
          stories.set(one.id, story)
          moved(() => story)
        }
        const found = await findings(endpoint('owner'))
        t.same(
          found.map(({ finding, ids }) => [finding, ids, stories.get(ids.case ?? '')]),
          [],
        )
      })
  })
  t.comment(`${plans.length} tries, ${JSON.stringify(Object.fromEntries(statuses))}`)
  t.ok((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0) > plans.length / 2, 'most tries have a move that succeeds')
})
