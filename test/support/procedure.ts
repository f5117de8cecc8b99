import { idempotencyKey, ifMatch, intake, registration, type Someone } from './service.ts'

/** Reads a case and takes steps on it, in its current version for the caller. Each step returns the service's reply. */
export const following = (id: string) => {
  const version = async (who: Someone) => (await who.get(`/v1/cases/${id}`)).json().version ?? 0
  const send = (path: string) => (who: Someone, of: number, body: object) =>
    who.post(`/v1/cases/${id}/${path}`, body, { ...idempotencyKey(), ...ifMatch(of) })
  const [stepOn, proposeOn] = [send('transitions'), send('proposals')]
  const step = async (who: Someone, body: object) => stepOn(who, await version(who), body)
  const propose = async (who: Someone, body: object) => proposeOn(who, await version(who), body)
  const confirm = (who: Someone, proposal: string, of = 1) =>
    who.post(`/v1/proposals/${proposal}/confirmation`, undefined, { ...idempotencyKey(), ...ifMatch(of) })
  /** Proposes as `maker` and confirms as `checker`. */
  const together = async (maker: Someone, checker: Someone, body: object) => {
    const proposal = await propose(maker, body)
    return proposal.statusCode === 201 ? confirm(checker, proposal.json().id) : proposal
  }
  return {
    id,
    version,
    step,
    stepOn,
    propose,
    proposeOn,
    confirm,
    together,
    read: async (who: Someone) => (await who.get(`/v1/cases/${id}`)).json(),
  }
}

export const register = async (who: Someone, more: object = {}) => {
  const body = ['ngo', 'iom'].includes(who.organisation.kind) ? registration() : intake()
  const response = await who.post('/v1/cases', { ...body, ...more }, idempotencyKey())
  if (response.statusCode !== 201) throw new Error(response.body)
  return following(response.json().id)
}

/** Registers a case and starts its assessment; it can be offered then. */
export const assessed = async (who: Someone, more: object = {}) => {
  const one = await register(who, more)
  const response = await one.step(who, { action: 'start_assessment', occurredOn: '2021-03-08' })
  if (response.statusCode !== 200) throw new Error(response.body)
  return one
}

/** Registers a case as an authority and takes it up. */
export const takenUp = async (who: Someone) => {
  const one = await assessed(who)
  const response = await one.step(who, { action: 'take_up', occurredOn: '2021-03-08' })
  if (response.statusCode !== 200) throw new Error(response.body)
  return one
}

export const decision = {
  action: 'decide',
  outcome: 'kz_citizenship_confirmed',
  legalReference: 'order_607',
  reasons: 'Registered here in 1992.',
  evidence: ['Certificate of the housing office'],
}
export const refusal = {
  action: 'decide',
  outcome: 'refused',
  legalReference: 'order_607',
  reasons: 'No ties to the country.',
}
/** The current day in the time zone of the installation. */
const today = () => new Intl.DateTimeFormat('sv', { timeZone: 'Asia/Almaty' }).format()

export const document = (number = '045123987', issuedOn = today()) => ({
  action: 'record_document',
  documentType: 'citizen_identity_card',
  number,
  issuer: 'MIA',
  iin: '900101300007',
  issuedOn,
  expiresOn: '2031-06-01',
})

/** A consent, as an NGO records it. */
export const consent = { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1' }

/** The grant that belongs to a submission. */
export const submittedWith = {
  purpose: 'status_determination',
  zones: ['identity', 'contact'],
  validUntil: '2031-11-23',
  basis: consent,
}

/** Reads a referral and decides about it, in its current version for the caller. */
export const referred = (id: string) => {
  const read = async (who: Someone) => (await who.get(`/v1/referrals/${id}`)).json()
  const decideOn = (who: Someone, of: number, body: object) =>
    who.post(`/v1/referrals/${id}/decision`, body, { ...idempotencyKey(), ...ifMatch(of) })
  const decide = async (who: Someone, decision: string, more: object = {}) =>
    decideOn(who, (await read(who)).version ?? 1, { decision, ...more })
  return { id, read, decideOn, decide }
}

/** Offers a case; returns the service's reply. */
export const offering = async (one: ReturnType<typeof following>, who: Someone, body: object) =>
  who.post(`/v1/cases/${one.id}/referrals`, body, { ...idempotencyKey(), ...ifMatch(await one.version(who)) })

/** Offers a case to an organisation; returns the referral. */
export const offered = async (
  one: ReturnType<typeof following>,
  who: Someone,
  to: { id: string },
  more: object = {},
) => {
  const response = await offering(one, who, { kind: 'submission', to: to.id, grant: submittedWith, ...more })
  if (response.statusCode !== 201) throw new Error(response.body)
  return referred(response.json().id)
}

/** Registers a case as `owner`, which `handler` then accepts. */
export const submitted = async (owner: Someone, handler: Someone, more: object = {}) => {
  const one = await assessed(owner, more)
  const referral = await offered(one, owner, handler.organisation)
  const accepted = await referral.decide(handler, 'accept')
  if (accepted.statusCode !== 200) throw new Error(accepted.body)
  return { one, referral }
}
