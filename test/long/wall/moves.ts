import { erasing, noting } from '../../casefile/wall/typing.ts'
import { consent, following } from '../../support/procedure.ts'
import { ifMatch, registration } from '../../support/service.ts'
import { firstOf, type Move, pick, type Reply, subset, type Who, type World } from './move.ts'
import {
  type Case,
  close,
  correct,
  decide,
  type Grant,
  grantState,
  isAuthority,
  knows,
  reaches,
  renewBasis,
  withdraw,
  zonesOf,
} from './reference-model.ts'
import { deciding, offering } from './referral-moves.ts'

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
