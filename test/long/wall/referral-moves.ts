import { consent, following, referred } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch } from '../../support/service.ts'
import { firstOf, type Move, pick, type Reply, subset, type Who, type World } from './move.ts'
import {
  type Case,
  committeeOf,
  decide,
  type Grant,
  hears,
  isAuthority,
  type Org,
  over,
  type Referral,
  reaches,
  zonesOf,
} from './reference-model.ts'

const isDivision = (org: Org) => committeeOf(org) !== null
const brought = { submission: 'status_determination', service: 'service_referral', transfer: '', hand_over: '' }

/** Offering the case in this way. */
export function offering(
  c: Case,
  { org, who }: Who,
  kind: Referral['kind'],
  n: number,
  { day, dateOf, people }: World,
): Move {
  const to = pick(people, n >> 3).org
  const [expires, lasts, zones] = [day + (n % 9), day + 5 + (n % 50), [...new Set(['identity', ...subset(n >> 6)])]]
  const purpose = brought[kind]
  const mine = org === (kind === 'hand_over' ? c.handler : c.owner)
  const sends = { submission: !isAuthority(org), service: true, transfer: true, hand_over: isDivision(org) }[kind]
  const takes = {
    submission: to === 'almaty-city',
    service: !isAuthority(to),
    transfer: isAuthority(to) === isAuthority(org),
    hand_over: isDivision(to),
  }[kind]
  const states: Record<Referral['kind'], string[]> = {
    submission: ['registered', 'assessment'],
    service: [c.state],
    transfer: [c.state],
    hand_over: ['verification'],
  }
  const pending = c.referrals.some(
    other => other.state === 'offered' && other.kind === kind && (kind !== 'service' || other.to === to),
  )
  const body = {
    kind,
    to: people.find(one => one.org === to)?.who.organisation.id,
    expiresOn: dateOf(expires),
    ...(purpose && { grant: { purpose, zones, validUntil: dateOf(lasts), basis: consent } }),
    ...(kind === 'transfer' && {
      basis: isAuthority(org) ? { kind: 'statute', legalReference: 'order_607' } : consent,
    }),
  }
  const one = following(c.id)
  return {
    what: `${kind} to ${to} until day ${expires} by ${org}`,
    status: firstOf(
      [!reaches(c, org, day), 404],
      [kind !== 'hand_over' && c.child && !c.erased && zonesOf(c, org, day).includes('identity'), 400],
      [!mine || !sends, 403],
      [!states[kind].includes(c.state) || c.state === 'withdrawn', 409],
      [c.inCustody && ['submission', 'service'].includes(kind), 409],
      [!takes || [org, c.owner, c.handler].includes(to), 400],
      [c.inCustody && c.child && kind === 'transfer', 400],
      [pending, 409],
      [true, 201],
    ),
    send: async () =>
      who.post(`/v1/cases/${c.id}/referrals`, body, { ...idempotencyKey(), ...ifMatch((await one.version(who)) || 1) }),
    makes: reply => {
      const { id, grantId } = reply.json()
      const given: Grant | undefined = grantId
        ? {
            id: grantId,
            to,
            giver: org,
            purpose,
            zones,
            basis: 'consent',
            until: lasts + 1,
            opened: false,
            onward: false,
          }
        : undefined
      if (given) c.grants.push(given)
      c.referrals.push({ id, kind, from: org, to, state: 'offered', expires, ...(given && { grant: given }) })
      if (kind === 'submission') c.state = 'submitted'
    },
  }
}

const party: Record<string, 'from' | 'to'> = { accept: 'to', decline: 'to', recall: 'from', return: 'to', done: 'to' }
const kinds: Record<string, readonly string[]> = { return: ['submission', 'hand_over'], done: ['service'] }

/** A decision about a referral. */
export function deciding(c: Case, { org, who }: Who, referral: Referral, decision: string, { day }: World): Move {
  const { kind, to, state } = referral
  const wrong = org !== referral[party[decision] ?? 'to'] || !(kinds[decision] ?? [kind]).includes(kind)
  const out = state !== (['return', 'done'].includes(decision) ? 'accepted' : 'offered') || over(referral, day)
  const stuck =
    (kind === 'hand_over' && decision === 'accept' && c.state !== 'verification') ||
    (decision === 'return' && (c.state !== 'verification' || c.handler !== org))
  const unspoken = decision === 'accept' && referral.grant?.suspended === true
  const reason = ['decline', 'return'].includes(decision) ? { reason: 'incomplete' } : {}
  return {
    what: `${decision} of the ${kind} to ${to} by ${org}`,
    status: firstOf([!hears(c, referral, org, day), 404], [wrong, 403], [out || stuck || unspoken, 409]),
    send: () => referred(referral.id).decide(who, decision, reason) as Promise<Reply>,
    makes: () => decide(c, referral, decision),
  }
}
