import { randomUUIDv7 } from 'node:crypto'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { invalid } from '../../problem.ts'
import { sealedColumns } from '../sealed-columns.ts'
import { latestBirth } from '../zones/birth.ts'
import type { Identity } from '../zones/contract.ts'
import * as zones from '../zones/queries.ts'
import { faultsOfRepresentative } from './basis.ts'
import type { NewGrant, Particulars } from './contract.ts'

/** A grant as the database takes it: its row, what was typed, and the latest day on which the person may have been born. */
export type Given = { id: string; row: object; typed: Particulars; born: string | null }

/** Gives a grant of a case that the caller reaches, open at once. Gives its id. */
export async function give(tx: Tx, caseId: string, given: NewGrant): Promise<string> {
  const { content } = await zones.current(tx, caseId, 'identity')
  const said = await say(tx, given, content as Identity | null)
  const typed = await sealedColumns.grant.sealFor(tx, { caseId, file: true }, [said.id, 'given'], said.typed)
  await write(tx, caseId, said, typed)
  return said.id
}

/** What a grant says that stands at `place` in the request, after what can be said against it without giving it; the database has the last word. */
export async function say(
  tx: Tx,
  { to, validUntil, basis, ...given }: NewGrant,
  identity: Identity | null | undefined,
  place = '#',
): Promise<Given> {
  const faults = basis && identity ? await faultsOfRepresentative(tx, basis, identity, { place }) : []
  if (faults.length) throw invalid(faults)
  const { representative, ...said } = basis ?? {}
  const { method, language, formVersion, witness, interpreter, reason } = said as Partial<Record<string, string>>
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

/** As a row of `grants`. */
export const rowOf = (row: object) => sql`jsonb_populate_record(null::grants, ${JSON.stringify(row)}::jsonb)`

/** Gives it, open at once, with what was typed, sealed. */
export const write = (tx: Tx, caseId: string, { row, born }: Given, typed: Buffer | null, place = '#') =>
  tx.execute(sql`select app.give_grant(${rowOf({ ...row, case_id: caseId })}, ${typed}, ${born}::date, true, ${place})`)
