// A short second implementation of the wall, with which every path is compared.
export type Org = 'sunrise' | 'common-home' | 'iom' | 'almaty-city' | 'turkistan' | 'committee'
export type Grant = {
  id?: string
  to: Org
  giver: Org
  purpose: string
  zones: string[]
  basis: 'consent' | 'statute' | 'custody'
  /** The first day on which it no longer opens anything. */
  until: number
  opened: boolean
  onward: boolean
  /** There is no representative, and by a correction the person may be a child. */
  suspended?: boolean
  closed?: string
  parent?: Grant
}
export type Referral = {
  id: string
  kind: 'submission' | 'service' | 'transfer' | 'hand_over'
  from: Org
  to: Org
  state: string
  /** The last day on which it can be accepted. */
  expires: number
  grant?: Grant
}
export type Case = {
  id: string
  number: string
  family: string
  owner: Org
  /** The owner is the custodian, and the person has not agreed yet. */
  inCustody: boolean
  handler: Org | null
  state: string
  child: boolean
  /** How often the identity was corrected. */
  corrections: number
  grants: Grant[]
  referrals: Referral[]
  notes: { id: string; of: Org; audience: 'organisation' | 'case'; erased?: boolean }[]
  /** The organisations that have entered something about the case. */
  typed: Set<Org>
  erased: boolean
}

/** The current day of the model. */
export const clock = { day: 0 }

export const isAuthority = (org: Org) => ['almaty-city', 'turkistan', 'committee'].includes(org)
export const committeeOf = (org: Org | null) => (org === 'almaty-city' || org === 'turkistan' ? 'committee' : null)

export const grantState = (grant: Grant, day: number) =>
  grant.closed
    ? 'closed'
    : grant.until <= day
      ? 'expired'
      : !grant.opened
        ? 'offered'
        : grant.suspended
          ? 'suspended'
          : 'open'
const openTo = (c: Case, org: Org, day: number) => c.grants.filter(g => g.to === org && grantState(g, day) === 'open')
export const reaches = (c: Case, org: Org, day: number) => openTo(c, org, day).length > 0
export const zonesOf = (c: Case, org: Org, day: number) =>
  [...new Set(openTo(c, org, day).flatMap(({ zones }) => zones))].sort()
export const knows = (c: Case, grant: Grant, org: Org, day: number) =>
  (org === grant.to && grant.opened) || ([c.owner, grant.giver].includes(org) && reaches(c, org, day))
export const over = (referral: Referral, day: number) => referral.state === 'offered' && referral.expires < day
/** Whether reports count the case for an organisation. Custody does not count. */
export const counts = (c: Case, org: Org, day: number) => openTo(c, org, day).some(({ basis }) => basis !== 'custody')
/**
 * Whether an organisation sees the referral: the recipient always, the owner while it reaches the case, the sender until acceptance, and afterwards for
 * a transfer or as long as it reaches the case.
 */
export const hears = (c: Case, { kind, from, to, state }: Referral, org: Org, day: number) =>
  org === to ||
  (org === c.owner && reaches(c, org, day)) ||
  (org === from && (!['accepted', 'ended'].includes(state) || kind === 'transfer' || reaches(c, org, day)))
/** Whether the referral shows its case to an organisation: if it reaches the case, and the recipient only after acceptance. */
export const isTold = (c: Case, { from, to, state }: Referral, org: Org, day: number) =>
  reaches(c, org, day) && ([c.owner, from].includes(org) || (org === to && ['accepted', 'ended'].includes(state)))

export const all = ['contact', 'identity', 'protection', 'whereabouts']
const grant = (to: Org, more: Partial<Grant>): Grant => ({
  ...{ to, giver: to, purpose: 'case_management', zones: all, basis: 'consent', until: Infinity, opened: true },
  ...{ onward: false, ...more },
})
export const ownBasis = (owner: Org) => grant(owner, { basis: isAuthority(owner) ? 'statute' : 'consent' })

export function close(c: Case, closed: string, which: (grant: Grant) => boolean): void {
  for (const grant of c.grants)
    if (!grant.closed && !(grant.opened && grant.until <= clock.day) && which(grant)) {
      grant.closed = closed
      close(c, closed, ({ parent }) => parent === grant)
    }
}

/** Adds grants by statute, which open identity to the handler and to the owner's committee. */
export function byStatute(c: Case, ...recipients: (Org | null)[]): void {
  for (const to of recipients)
    if (to && !c.grants.some(g => g.to === to && g.basis === 'statute' && !g.closed))
      c.grants.push(
        grant(to, { giver: c.owner, purpose: 'status_determination', zones: ['identity'], basis: 'statute' }),
      )
}

/** Closes the grants of a former handler, and those of its committee unless it is also above the next handler or the owner. */
function leave(c: Case, handler: Org, next: Org | null): void {
  const above = committeeOf(handler)
  const stays = [committeeOf(next), committeeOf(c.owner)].includes(above)
  close(c, 'left', g => g.to !== c.owner && (g.to === handler || (g.to === above && g.basis === 'statute' && !stays)))
}

function recall(c: Case, which: (referral: Referral) => boolean): void {
  for (const referral of c.referrals)
    if (referral.state === 'offered' && which(referral)) {
      referral.state = 'recalled'
      close(c, 'recalled', grant => grant === referral.grant)
    }
}

/** Applies a decision to a referral and its case. */
export function decide(c: Case, referral: Referral, decision: string): void {
  const { kind, to, grant } = referral
  referral.state =
    { accept: 'accepted', decline: 'declined', recall: 'recalled', expire: 'expired' }[decision] ?? 'ended'
  if (decision !== 'accept') close(c, referral.state, g => g === grant)
  else if (grant && !grant.closed) grant.opened = true
  if (kind === 'submission' && ['decline', 'recall', 'expire'].includes(decision)) c.state = 'assessment'
  if (kind === 'submission' && decision === 'accept') {
    Object.assign(c, { state: 'verification', handler: to })
    byStatute(c, to, committeeOf(to))
  }
  if (kind === 'hand_over' && decision === 'accept') {
    if (c.handler && c.handler !== c.owner) leave(c, c.handler, to)
    c.handler = to
    byStatute(c, to, committeeOf(to))
  }
  if (decision === 'return') {
    recall(c, offer => offer.kind === 'hand_over')
    if (c.handler && c.handler !== c.owner) leave(c, c.handler, null)
    Object.assign(c, { state: 'assessment', handler: null })
  }
  if (kind === 'transfer' && decision === 'accept') transfer(c, to)
}

function transfer(c: Case, owner: Org): void {
  const former = c.owner
  close(c, 'transferred', g => g.to === former)
  Object.assign(c, { owner, inCustody: false })
  leave(c, former, owner)
  recall(c, offer => offer.to === owner)
  for (const offer of c.referrals) if (offer.state === 'offered' && offer.from === former) offer.from = owner
  if (c.handler === former) c.handler = owner
  c.grants.push(ownBasis(owner))
  byStatute(c, committeeOf(owner))
}

/** Gives the case of an NGO whose closing is over to the custodian, for 90 days. */
export function entrust(c: Case): void {
  const former = c.owner
  for (const offer of c.referrals) if (offer.state === 'offered' && offer.from === former) decide(c, offer, 'recall')
  close(c, 'transferred', g => g.to === former)
  Object.assign(c, { owner: 'iom', inCustody: true })
  recall(c, offer => offer.to === 'iom')
  c.grants.push(grant('iom', { zones: ['contact'], basis: 'custody', until: clock.day + 91 }))
}

export function renewBasis(c: Case): void {
  close(c, 'renewed', g => g.to === c.owner && g.purpose === 'case_management')
  c.grants.push(ownBasis(c.owner))
  c.inCustody = false
}

/** Corrects the birth date, so that the person becomes a child or is none any more. No consent of the model has a representative. */
export function correct(c: Case, day: number): void {
  c.child = !c.child
  c.corrections++
  const rests = (g: Grant): boolean =>
    (g.basis === 'consent' && g.to !== c.owner && g.until > day) || (g.parent !== undefined && rests(g.parent))
  for (const grant of c.grants) if (!grant.closed) grant.suspended = c.child && rests(grant)
}

export function withdraw(c: Case): void {
  recall(c, () => true)
  close(c, 'withdrawn', g => g.to !== c.owner && g.basis !== 'statute')
  c.state = 'withdrawn'
}

/** Whether an organisation holds data of the case: the file, or texts of its own. */
export const holds = (c: Case, org: Org) => (org === c.owner && !c.erased) || c.typed.has(org)
/** Whether data is kept: while it is in use, and at an authority for a term longer than any story. */
export const isKept = (c: Case, org: Org, day: number) =>
  (c.state !== 'withdrawn' &&
    (c.grants.some(g => g.to === org && ['open', 'suspended', 'offered'].includes(grantState(g, day))) ||
      c.referrals.some(r => r.to === org && r.state === 'offered' && !over(r, day)))) ||
  (isAuthority(org) &&
    (c.grants.some(g => g.to === org && ['case_management', 'status_determination'].includes(g.purpose)) ||
      c.referrals.some(r => r.to === org)))

export function erase(c: Case, org: Org): void {
  close(c, 'erased', g => (org === c.owner ? g.to !== org && g.basis !== 'statute' : g.to === org))
  c.erased ||= org === c.owner
  c.typed.delete(org)
  for (const note of c.notes) note.erased ||= note.of === org
}
