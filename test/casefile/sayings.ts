import { dateOf, decisions, type Model, validEntries } from '../long/casefile/reference-model.ts'

type Sent = { says: Record<string, unknown>; body: object; annuls?: string }

let numbers = 0

/**
 * Returns the content of an action: the facts that the model records, and the body to send. `what` selects a variant.
 */
export function saying(c: Model, action: string, what: number): Sent {
  const target = validEntries(c)[what % validEntries(c).length]
  const document = validEntries(c).findLast(entry => entry.action === 'record_document')?.id ?? crypto.randomUUID()
  const decidedOn = validEntries(c).findLast(({ says }) => says.outcome)?.day ?? 0
  const region = what % 2 ? 'KZ-61' : 'KZ-75'
  const outcome = decisions[what % 4 ? 0 : 1]
  const basis =
    c.owner === 'sunrise'
      ? { kind: 'consent', method: 'written', language: 'kk', formVersion: '2026-1' }
      : { kind: 'statute', legalReference: 'order_607' }
  const contents: Record<string, Partial<Sent>> = {
    amend: { says: { region }, body: { regionCode: region, reason: 'Moved' } },
    decide: { says: { outcome }, body: { outcome, legalReference: 'order_607', reasons: 'Because' } },
    discontinue: { says: { outcome: 'discontinued' }, body: { reason: 'died', reasons: 'Because' } },
    record_document: {
      body: { documentType: 'citizen_identity_card', number: `N${numbers++}`, issuedOn: dateOf(decidedOn) },
    },
    hand_over_document: { says: { document }, body: { documentId: document, to: 'person' } },
    close: { body: { reason: 'error' } },
    reopen: { says: { outcome: null }, body: { basis, reason: 'Back' } },
    renew_basis: { body: { basis } },
    annul: { body: { eventId: target?.id, reason: 'By mistake' }, annuls: target?.id ?? '' },
  }
  return { says: {}, body: {}, ...contents[action] }
}
