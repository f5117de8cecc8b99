import type { Facts } from '../../casefile/events/append.ts'
import { codesOfDocument } from '../../casefile/events/codes.ts'
import { splitBasis } from '../../casefile/grants/basis.ts'
import type { Texts } from '../../casefile/sealed-columns.ts'
import { identify } from '../../casefile/zones/identifiers.ts'
import type { Keys } from '../../platform/access/keys.ts'
import type { Use } from '../../rules/reference/queries.ts'
import type { ProposedStep, Transition } from './contract.ts'

/** The content of a step: facts (codes, dates and ids), which are folded into the case, and typed texts. */
export type Statement = {
  facts: Facts
  text: Texts
  /** The codes that it uses, to be checked. */
  uses: readonly Use[]
  annuls?: string
}

const nothing: Statement = { facts: {}, text: {}, uses: [] }

export function statementOf(step: Transition | ProposedStep, keys: Keys): Statement {
  switch (step.action) {
    case 'start_assessment':
    case 'take_up':
    case 'open_documentation':
      return nothing
    case 'amend': {
      const { regionCode, category, causes, reason, occurredOn } = step
      return {
        facts: { region: regionCode, category, causes },
        text: { reason },
        uses: [
          ...(regionCode ? [{ at: '#/regionCode', list: 'region', code: regionCode, on: occurredOn }] : []),
          ...(category ? [{ at: '#/category', list: 'category', code: category }] : []),
          ...(causes ?? []).map((code, i) => ({ at: `#/causes/${i}`, list: 'cause', code })),
        ],
      }
    }
    case 'hand_over_document':
      return {
        facts: { document: step.documentId, handedOverTo: step.to },
        text: { name: step.name },
        uses: [{ at: '#/to', list: 'handed_over_to', code: step.to }],
      }
    case 'close':
      return {
        facts: { reason: step.reason },
        text: { note: step.note },
        uses: [{ at: '#/reason', list: 'close_reason', code: step.reason }],
      }
    case 'reopen': {
      const { facts, text } = splitBasis(step.basis)
      return { facts: { basis: facts }, text: { ...text, reason: step.reason }, uses: [] }
    }
    case 'renew_basis': {
      const { facts, text } = splitBasis(step.basis)
      return { facts: { basis: facts }, text, uses: [] }
    }
    case 'withdraw':
      return { ...nothing, text: { note: step.note } }
    case 'decide': {
      const { outcome, country, legalReference, reasons, evidence } = step
      return {
        facts: { outcome, country, legalReference },
        text: { reasons, evidence },
        uses: [
          { at: '#/outcome', list: 'outcome', code: outcome },
          { at: '#/country', list: 'outcome', code: outcome, named: country !== undefined },
          ...(country ? [{ at: '#/country', list: 'country', code: country }] : []),
          { at: '#/legalReference', list: 'legal_basis', code: legalReference },
        ],
      }
    }
    case 'discontinue':
      return {
        facts: { outcome: 'discontinued', reason: step.reason },
        text: { reasons: step.reasons },
        uses: [{ at: '#/reason', list: 'discontinue_reason', code: step.reason }],
      }
    case 'record_document': {
      const { documentType, number, issuer, iin, issuedOn, expiresOn } = step
      return {
        facts: {
          documentType,
          numberHmac: identify.document(keys, number),
          iinHmac: iin && identify.iin(keys, iin),
          issuedOn,
          expiresOn,
        },
        text: { number, issuer, iin },
        uses: codesOfDocument(step),
      }
    }
    case 'annul':
      return { facts: {}, text: { reason: step.reason }, uses: [], annuls: step.eventId }
  }
}
