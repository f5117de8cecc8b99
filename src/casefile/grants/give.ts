import { randomUUIDv7 } from 'node:crypto'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { type Fault, invalid } from '../../problem.ts'
import { faultsOfCodes } from '../../rules/reference/queries.ts'
import { sealedColumns } from '../sealed-columns.ts'
import { latestBirth } from '../zones/birth.ts'
import type { Content } from '../zones/contract.ts'
import type { Identity } from '../zones/identity.ts'
import * as zones from '../zones/queries.ts'
import { faultsOfRepresentative } from './basis.ts'
import type { NewGrant, Particulars } from './contract.ts'

/** A grant as the database takes it: its row, the typed texts, and the latest possible birth date of the person. */
export type Given = { id: string; row: object; typed: Particulars; born: string | null }

/** Gives a grant on a case open to the caller. The grant opens at once. Returns its id. */
export async function give(tx: Tx, caseId: string, given: NewGrant): Promise<string> {
  const { content } = await zones.current(tx, caseId, 'identity')
  const grant = await prepare(tx, given, content as Identity | null)
  const faults = await faultsOfStates(tx, caseId, given.states)
  if (faults.length) throw invalid(faults)
  const typed = await sealedColumns.grant.sealFor(tx, { caseId, file: true }, [grant.id, 'given'], grant.typed)
  await write(tx, caseId, grant, typed)
  return grant.id
}

/**
 * Returns the row and texts of the grant at `place` in the request. Throws `invalid-request` if a representative is
 * missing, or for a code that is on no list; the database checks the rest when the grant is written.
 */
export async function prepare(
  tx: Tx,
  { to, validUntil, basis, ...given }: NewGrant,
  identity: Identity | null | undefined,
  place = '#',
): Promise<Given> {
  const [byAge, codes] = await Promise.all([
    basis && identity ? faultsOfRepresentative(tx, basis, identity, { place }) : [],
    faultsOfCodes(tx, [
      ...(basis?.kind === 'consent' ? [{ at: `${place}/basis/language`, list: 'language', code: basis.language }] : []),
      ...given.states.map((code, i) => ({ at: `${place}/states/${i}`, list: 'country', code })),
    ]),
  ])
  if (byAge.length || codes.length) throw invalid([...byAge, ...codes])
  const { representative, ...details } = basis ?? {}
  const { method, language, formVersion, witness, interpreter, reason } = details as Partial<Record<string, string>>
  const id = randomUUIDv7()
  return {
    id,
    row: {
      id,
      ...given,
      recipient_id: to,
      basis: basis?.kind ?? 'consent',
      method,
      language,
      form_version: formVersion,
      representative: representative?.kind,
      valid_until: validUntil,
    },
    typed: { representative: representative?.name, witness, interpreter, reason },
    born: (identity && latestBirth(identity.birth)) ?? null,
  }
}

/** Returns a fault for each State that must not learn of the person, as far as the caller may read the zone protection. */
async function faultsOfStates(tx: Tx, caseId: string, states: readonly string[]): Promise<Fault[]> {
  if (!states.length) return []
  const { content } = await zones.current(tx, caseId, 'protection')
  const { mustNotBeKnownTo = [] } = (content ?? {}) as Content<'protection'>
  const detail = 'This State must not learn of the person: see the zone protection'
  return states.flatMap((code, i) => (mustNotBeKnownTo.includes(code) ? [{ pointer: `#/states/${i}`, detail }] : []))
}

/** SQL of a row of `grants`. */
export const rowOf = (row: object) => sql`jsonb_populate_record(null::grants, ${JSON.stringify(row)}::jsonb)`

/** Writes a grant, which opens at once, with its sealed texts. */
export const write = (tx: Tx, caseId: string, { row, born }: Given, typed: Buffer | null, place = '#') =>
  tx.execute(sql`select app.give_grant(${rowOf({ ...row, case_id: caseId })}, ${typed}, ${born}::date, true, ${place})`)
