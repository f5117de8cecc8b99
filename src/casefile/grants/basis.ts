import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import type { Fault } from '../../problem.ts'
import { faultsOfCodes } from '../../rules/reference/queries.ts'
import type { Facts } from '../events/append.ts'
import type { Texts } from '../sealed-columns.ts'
import type { Identity } from '../zones/identity.ts'
import { mayBeChild } from '../zones/queries.ts'
import type { Basis, Consent } from './contract.ts'

const byConsent = ['ngo', 'iom']

/** Splits a legal basis into facts (codes) and texts. */
export function splitBasis({ representative, ...basis }: Basis): { facts: Facts; text: Texts } {
  const { witness, interpreter, ...facts } = basis as Consent
  return {
    facts: { ...facts, representative: representative?.kind },
    text: { representative: representative?.name, witness, interpreter },
  }
}

/**
 * Returns the faults of a legal basis on a day (default today): an authority acts by statute, other organisations by
 * consent, and a child needs a representative.
 */
export async function faultsOfBasis(tx: Tx, basis: Basis, identity: Identity, day?: string): Promise<Fault[]> {
  const { kind } = await tx.actor
  const [byKind, codes, byAge] = await Promise.all([
    byConsent.includes(kind) === (basis.kind === 'consent')
      ? []
      : [
          {
            pointer: '#/basis/kind',
            detail: 'Expected statute from an authority, and consent from any other organisation',
          },
        ],
    basis.kind === 'statute'
      ? faultsOfCodes(tx, [{ at: '#/basis/legalReference', list: 'legal_basis', code: basis.legalReference }])
      : faultsOfConsent(tx, basis),
    faultsOfRepresentative(tx, basis, identity, { day }),
  ])
  return [...byKind, ...codes, ...byAge]
}

/** Returns a fault if the person may be a child on that day (default today) and no representative is named. */
export async function faultsOfRepresentative(
  tx: Tx,
  { representative }: Pick<Basis, 'representative'>,
  identity: Identity,
  { day, place = '#' }: { day?: string | undefined; place?: string } = {},
): Promise<Fault[]> {
  if (representative || !(await mayBeChild(tx, identity, day))) return []
  const detail =
    'Missing: the person could be under 18. Name the representative (none_yet if there is none), or give a more exact birth date'
  return [{ pointer: `${place}/basis/representative`, detail }]
}

async function faultsOfConsent(tx: Tx, { language, formVersion }: Consent): Promise<Fault[]> {
  const [isForm, faults] = await Promise.all([
    formVersion === undefined || exists(tx, formVersion),
    faultsOfCodes(tx, [{ at: '#/basis/language', list: 'language', code: language }]),
  ])
  const detail = 'Expected the version of a consent form: see GET /v1/consent-forms'
  return isForm ? faults : [...faults, { pointer: '#/basis/formVersion', detail }]
}

async function exists(tx: Tx, formVersion: string): Promise<boolean> {
  const forms = await tx.execute(sql`select from consent_forms where version = ${formVersion} limit 1`)
  return forms.length > 0
}
