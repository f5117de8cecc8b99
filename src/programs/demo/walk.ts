import { randomUUID } from 'node:crypto'
import type { Client } from './client.ts'

type Versioned = { id: string; version: number }
type Outcome = {
  event: { id: string; action: string; occurredOn: string }
  case: Versioned & { number: string; state: string }
}

/** Takes a division's own case from registration to the handed-over document: an officer proposes, a supervisor confirms. */
export async function walkToDocument(
  officer: Client,
  supervisor: Client,
  print: (text: string) => void,
): Promise<void> {
  let { id, version, number } = await officer.post<Versioned & { number: string }>('/v1/cases', {
    ...officer.registration(),
    basis: { kind: 'statute', legalReference: 'order_607' },
  })
  const report = ({ event, case: now }: Outcome, who: string) => {
    version = now.version
    print(`    ${event.action.padEnd(20)} ${now.state.padEnd(15)} ${who}`)
    return event
  }
  const step = async (action: string, more = {}) =>
    report(await officer.post<Outcome>(`/v1/cases/${id}/transitions`, { action, ...more }, version), officer.email)
  const together = async (action: string, more: object) => {
    const proposal = await officer.post<Versioned>(`/v1/cases/${id}/proposals`, { action, ...more }, version)
    const confirmed = await supervisor.post<Outcome>(`/v1/proposals/${proposal.id}/confirmation`, {}, proposal.version)
    return report(confirmed, `${officer.email}, confirmed by ${supervisor.email}`)
  }
  print(`  ${number}, registered by ${officer.email}, from registration to document:\n`)
  await step('start_assessment')
  await step('take_up')
  const decided = await together('decide', {
    ...{ outcome: 'kz_citizenship_confirmed', legalReference: 'order_607' },
    ...{ reasons: 'Registered in Almaty on 1 March 1992.', evidence: ['Certificate of the housing office'] },
  })
  await step('open_documentation')
  const recorded = await together('record_document', {
    ...{ documentType: 'citizen_identity_card', number: `W-${randomUUID().slice(0, 8)}`, issuer: 'MIA' },
    issuedOn: decided.occurredOn,
  })
  await step('hand_over_document', { documentId: recorded.id, to: 'person' })
}

/** Refers an NGO's case to a division, which returns it; prints after each step what the division sees of it. */
export async function walkThereAndBack(
  caseworker: Client,
  officer: Client,
  division: string,
  print: (text: string) => void,
): Promise<void> {
  const registration = caseworker.registration()
  const { id, version, number } = await caseworker.post<Versioned & { number: string }>('/v1/cases', registration)
  await caseworker.post(`/v1/cases/${id}/transitions`, { action: 'start_assessment' }, version)
  const validUntil = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10)
  const grant = { purpose: 'status_determination', zones: ['identity'], validUntil, basis: registration.basis }
  const offered = await caseworker.post<Versioned>(
    `/v1/cases/${id}/referrals`,
    { kind: 'submission', to: division, grant, message: 'Papers of 1992 can be brought.' },
    version + 1,
  )
  const seen = () =>
    officer.get<{ state: string; withheld: string[] }>(`/v1/cases/${id}`).then(
      ({ state, withheld }) => `${state}, without ${withheld.join(', ')}`,
      () => 'no case',
    )
  const report = async (what: string, who: string) =>
    print(`    ${what.padEnd(20)} ${who.padEnd(28)} ${officer.email} sees ${await seen()}`)
  print(`  ${number}, registered by ${caseworker.email}, submitted to a division and returned:\n`)
  await report('submit', caseworker.email)
  const decide = (decision: string, { version }: Versioned, more = {}) =>
    officer.post<Versioned>(`/v1/referrals/${offered.id}/decision`, { decision, ...more }, version)
  const accepted = await decide('accept', offered)
  await report('accept', officer.email)
  await decide('return', accepted, { reason: 'incomplete', note: 'The photograph is missing.' })
  await report('return', officer.email)
  const { state } = await caseworker.get<{ state: string }>(`/v1/cases/${id}`)
  print(`\n    Back with its owner, in the state ${state}\n`)
}
