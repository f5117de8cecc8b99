import { setTimeout } from 'node:timers/promises'
import { idempotencyKey, ifMatch, registration, type Service, type Someone } from './service.ts'

export const because = { legalBasis: 'consent_withdrawn', reason: 'Құлқан asked for it in writing.' }

export const asking = (who: Someone, caseId: string, more: object = {}) =>
  who.post(`/v1/cases/${caseId}/erasures`, { ...because, ...more }, idempotencyKey())

export const approving = (who: Someone, id: string, of = 1) =>
  who.post(`/v1/erasures/${id}/approval`, undefined, ifMatch(of))

/** Waits until the service has done an erasure, and returns it. */
export async function untilDone(who: Someone, id: string) {
  for (let tries = 0; tries < 500; tries++) {
    const erasure = (await who.get(`/v1/erasures/${id}`)).json()
    if (erasure.state === 'done') return erasure
    await setTimeout(10)
  }
  throw new Error('the erasure is not done after 500 tries')
}

/** Requests an erasure as `maker`, approves it as `checker`, and waits until it is done. */
export async function erased(maker: Someone, checker: Someone, caseId: string) {
  const requested = await asking(maker, caseId)
  if (requested.statusCode !== 201) throw new Error(requested.body)
  const approved = await approving(checker, requested.json().id)
  if (approved.statusCode !== 200) throw new Error(approved.body)
  return untilDone(checker, requested.json().id)
}

/** Signs in accounts of two organisations. */
export async function people({ as }: Service) {
  const [asel, dina, pavel, zarina, kamila] = await Promise.all([
    as('caseworker', 'sunrise'),
    as('supervisor', 'sunrise'),
    as('supervisor', 'sunrise', 1),
    as('caseworker', 'common-home'),
    as('supervisor', 'common-home'),
  ])
  return { asel, dina, pavel, zarina, kamila }
}

/** A person with all four zones. */
export const person = {
  ...registration().person,
  contact: { phones: ['+77010000001'] },
  whereabouts: { addresses: [{ kind: 'residence', text: 'ул. Примерная 1' }] },
  protection: { health: 'Asthma' },
}
