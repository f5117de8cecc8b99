import { randomUUIDv7 } from 'node:crypto'
import { z } from 'zod'
import { codesOfCase } from '../../casefile/cases/codes.ts'
import { externalHmac } from '../../casefile/cases/register.ts'
import { codesOfDocument } from '../../casefile/events/codes.ts'
import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { codesIn } from '../../casefile/zones/codes.ts'
import { identify } from '../../casefile/zones/identifiers.ts'
import { identityRow } from '../../casefile/zones/queries.ts'
import type { Keys } from '../../platform/access/keys.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { asText, Sealer } from '../../platform/db/sealed.ts'
import { Id } from '../../platform/http/contract.ts'
import { type Use, unknownCodes } from '../../rules/reference/queries.ts'
import { Rejected } from '../jobs/contract.ts'
import type { Line } from './file.ts'
import type { Progress } from './queries.ts'
import { columnAt, type Fault, type Read, readRow } from './row.ts'

/** The allowed owners of imported cases: the importing organisation, and its divisions by short name. */
export type Owners = { own: string; divisions: ReadonlyMap<string, string> }

const OutcomeRow = z.object({
  outcome: z.object({ registered: z.int(), existing: z.int(), cases: z.array(Id), faults: z.array(Rejected) }),
})

/** `records` rows of a file, starting at `from`, as the database takes them. */
export class Batch {
  readonly from: number
  readonly faults: Fault[] = []
  readonly #rows = new Map<string, ReturnType<typeof rowOf>>()
  readonly #uses: Use[] = []
  records = 0

  constructor(from: number) {
    this.from = from
  }

  /** Adds a row, after the checks that need no database. */
  take({ record, info }: Line, keys: Keys, { own, divisions }: Owners): void {
    this.records++
    const line = info.lines
    const fault = (field: string, reason: string) => this.faults.push({ line, field, reason })
    if (info.error) return void fault('', 'Not as many fields as the header')
    const result = readRow(line, record)
    if ('faults' in result) return void this.faults.push(...result.faults)
    const { read } = result
    const owner = read.division ? divisions.get(read.division) : own
    if (!owner) return void fault('division', 'Not a division of yours')
    const row = rowOf(keys, read, owner)
    if (this.#rows.has(row.external_hmac))
      return void fault('externalId', 'Used already by an earlier row of this file')
    this.#rows.set(row.external_hmac, row)
    this.#uses.push(...usesOf(read))
  }

  /**
   * Checks the codes against the reference data, then lets the database check the rows and write those without faults.
   */
  async write(tx: Tx, job: string): Promise<Progress> {
    const faults = await this.#faultsOfCodes(tx)
    const bad = new Set(faults.map(({ line }) => line))
    const rows = [...this.#rows.values()].filter(({ line }) => !bad.has(line))
    const [written] = await tx.rows(
      OutcomeRow,
      sql`select app.import_rows(${job}, ${JSON.stringify(rows)}::jsonb) as outcome`,
    )
    if (!written) throw new Error('app.import_rows returned no row')
    const { outcome } = written
    const { from, records } = this
    return { from, records, ...outcome, faults: [...this.faults, ...faults, ...outcome.faults] }
  }

  async #faultsOfCodes(tx: Tx): Promise<Fault[]> {
    return (await unknownCodes(tx, this.#uses)).map(({ at, detail: reason }) => {
      const [line, pointer] = at.split('#')
      return { line: Number(line), field: columnAt(`#${pointer}`), reason }
    })
  }
}

/** The codes of a row. Their places are lines with pointers. */
const usesOf = ({ line, case: index, identity, outcome, document }: Read): Use[] => [
  ...codesOfCase(index, `${line}#/case`),
  ...codesIn('identity', identity, `${line}#/identity`),
  ...(outcome ? [{ at: `${line}#/outcome`, list: 'outcome', code: outcome }] : []),
  ...(document ? codesOfDocument(document, `${line}#/document`) : []),
]

/** Returns the row as the database takes it: `app.import_row`. */
function rowOf(keys: Keys, { line, case: row, identity, document, outcome, decidedOn }: Read, owner: string) {
  const { dataKey, epoch, wrapped } = keys.newDataKey()
  const sealer = new Sealer(dataKey)
  const [caseId, textId] = [randomUUIDv7(), randomUUIDv7()]
  return {
    line,
    case_id: caseId,
    key_id: dataKey.id,
    epoch,
    wrapped: asText(wrapped),
    owner,
    external_hmac: externalHmac(keys, owner, row.externalId),
    registered_on: row.registeredOn,
    region: row.regionCode,
    category: row.category,
    causes: row.causes,
    outcome,
    decided_on: decidedOn,
    ...(document && {
      document_type: document.documentType,
      issued_on: document.issuedOn,
      expires_on: document.expiresOn,
      number_hmac: identify.document(keys, document.number),
      text_id: textId,
      document: asText(sealedColumns.document.seal(sealer, [textId], { number: document.number })),
    }),
    stage: 0,
    identity: asText(sealedColumns.identity.seal(sealer, [caseId, 'identity', 1], identity)),
    ...identityRow(keys, identity),
  }
}
