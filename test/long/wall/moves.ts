import { erasing, noting } from '../../casefile/wall/typing.ts'
import { consent, following, referred } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, registration } from '../../support/service.ts'
import { firstOf, type Move, pick, type Reply, type Who, type World } from './move.ts'
import {
  all,
  type Case,
  close,
  committeeOf,
  correct,
  decide,
  type Grant,
  grantState,
  hears,
  isAuthority,
  knows,
  type Org,
  over,
  type Referral,
  reaches,
  renewBasis,
  withdraw,
  zonesOf,
} from './reference-model.ts'

const isDivision = (org: Org) => committeeOf(org) !== null
const subset = (n: number) => all.filter((_, i) => ((n % 15) + 1) & (1 << i))

/** Returns all moves that can be tried on a case; `n` selects the details. */
export const moves = (c: Case, n: number, world: World): Move[] =>
  world.people.flatMap(one => [
    ...steps(c, one, world),
    giving(c, one, n, world),
    ...c.grants
      .filter(({ id }) => id !== undefined && n % 3)
      .map(grant => revoking(c, one, grant, world))
      .slice(-2),
    ...(['submission', 'service', 'transfer', 'hand_over'] as const).map(kind => offering(c, one, kind, n, world)),
    ...c.referrals
      .slice(-3)
      .flatMap(referral =>
        ['accept', 'decline', 'recall', 'return', 'done'].map(decision => deciding(c, one, referral, decision, world)),
      ),
    ...(n % 5 ? [] : [correcting(c, one, world)]),
    ...(n % 8 ? [] : [noting(c, one, n, world)]),
    ...(n % 4 ? [] : [erasing(c, one, world)]),
  ])

function steps(c: Case, { org, who }: Who, { day }: World): Move[] {
  const step = (action: string, may: boolean, makes: () => void, more: object = {}): Move => ({
    what: `${action} by ${org}`,
    status: firstOf([!reaches(c, org, day), 404], [org !== c.owner || !may, 409]),
    send: () => following(c.id).step(who, { action, ...more }) as Promise<Reply>,
    makes,
  })
  return [
    step('start_assessment', c.state === 'registered' && !c.inCustody, () => {
      c.state = 'assessment'
    }),
    step('take_up', isAuthority(c.owner) && c.state === 'assessment', () => {
      Object.assign(c, { state: 'verification', handler: c.owner })
    }),
    step('withdraw', c.state !== 'withdrawn', () => withdraw(c)),
    ...(c.inCustody && !c.child
      ? [step('renew_basis', c.state !== 'withdrawn', () => renewBasis(c), { basis: consent })]
      : []),
  ]
}

function correcting(c: Case, { org, who }: Who, { day }: World): Move {
  const url = `/v1/cases/${c.id}/person/identity`
  const identity = {
    ...registration(c.family).person.identity,
    birth: { precision: 'year', year: c.child ? 1961 : 2020 },
  }
  return {
    what: `correct the birth of ${c.child ? 'a child' : 'an adult'} by ${org}`,
    status: firstOf(
      [!zonesOf(c, org, day).includes('identity'), 404],
      [org !== c.owner || c.inCustody, 403],
      [c.state === 'withdrawn', 409],
      [true, 200],
    ),
    send: async () => who.put(url, identity, ifMatch((await who.get(url)).json().version ?? 0)),
    makes: () => correct(c, day),
  }
}

function giving(c: Case, { org, who }: Who, n: number, { day, dateOf, people }: World): Move {
  const to = pick(people, n >> 2).org
  const purpose = pick(['legal_aid', 'case_conference'], n >> 5)
  const [zones, lasts, onward] = [subset(n >> 7), day + (n % 40), n % 3 === 0]
  const held = c.grants
    .filter(g => g.to === org && grantState(g, day) === 'open' && g.onward && g.purpose === purpose)
    .filter(g => zones.every(zone => g.zones.includes(zone)) && g.until > lasts)
    .sort((a, b) => b.until - a.until)[0]
  const equal = c.grants
    .filter(g => g.giver === org && g.to === to && g.purpose === purpose && grantState(g, day) === 'open')
    .filter(g => g.basis === 'consent' && g.onward === onward && g.zones.join() === zones.join())
    .sort((a, b) => b.until - a.until)[0]
  const body = {
    to: people.find(one => one.org === to)?.who.organisation.id,
    purpose,
    zones,
    validUntil: dateOf(lasts),
    onward,
  }
  return {
    what: `${purpose} ${zones} to ${to} until day ${lasts}${onward ? ', onward,' : ''} by ${org}`,
    status: firstOf(
      [!reaches(c, org, day), 404],
      [org === c.owner && c.child && !c.erased && zonesOf(c, org, day).includes('identity'), 400],
      [c.state === 'withdrawn' || (org === c.owner && c.inCustody), 409],
      [org !== c.owner && !held, 403],
      [to === org || to === c.owner || (purpose === 'legal_aid' && isAuthority(to)), 400],
      [equal !== undefined && equal.until > lasts, 409],
      [true, 201],
    ),
    send: () => who.post(`/v1/cases/${c.id}/grants`, { ...body, ...(org === c.owner && { basis: consent }) }),
    makes: reply => {
      const [id, giver, until] = [reply.json().id, org, lasts + 1]
      const parent = org === c.owner ? undefined : held
      const grant: Grant = {
        id,
        to,
        giver,
        purpose,
        zones,
        basis: 'consent',
        until,
        opened: true,
        onward,
        ...(parent && { parent }),
      }
      c.grants.push(grant)
      if (!equal) return
      for (const below of c.grants) if (below.parent === equal && !below.closed) below.parent = grant
      for (const referral of c.referrals) if (referral.grant === equal) referral.grant = grant
      close(c, 'renewed', g => g === equal)
    },
  }
}

function revoking(c: Case, { org, who }: Who, grant: Grant, { day }: World): Move {
  return {
    what: `revocation of a grant to ${grant.to} by ${org}`,
    status: firstOf(
      [!knows(c, grant, org, day), 404],
      [![c.owner, grant.giver].includes(org), 403],
      [grant.basis === 'statute' || grant.to === c.owner, 409],
      [!['open', 'suspended', 'offered'].includes(grantState(grant, day)), 409],
    ),
    send: async () => {
      const version = (await who.get(`/v1/grants/${grant.id}`)).json().version ?? 1
      return who.post(`/v1/grants/${grant.id}/revocation`, {}, ifMatch(version))
    },
    makes: () => {
      const offer = c.referrals.find(referral => referral.grant === grant && referral.state === 'offered')
      if (offer && grantState(grant, day) === 'offered') decide(c, offer, 'recall')
      close(c, 'revoked', g => g === grant)
    },
  }
}

const brought = { submission: 'status_determination', service: 'service_referral', transfer: '', hand_over: '' }

function offering(c: Case, { org, who }: Who, kind: Referral['kind'], n: number, { day, dateOf, people }: World): Move {
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

function deciding(c: Case, { org, who }: Who, referral: Referral, decision: string, { day }: World): Move {
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
