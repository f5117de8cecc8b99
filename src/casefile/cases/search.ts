import type { z } from 'zod'
import { Sealed } from '../../platform/access/data-key.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { type Page, type PageQuery, pageOf } from '../../platform/db/page.ts'
import { sealed } from '../../platform/db/sealed.ts'
import { Version } from '../../platform/http/contract.ts'
import { sealedColumns } from '../sealed-columns.ts'
import { bears, identify } from '../zones/identifiers.ts'
import { CaseIndex, type CaseSearch } from './contract.ts'

/** SQL of the cases that have this identifier in the newest version of their identity. */
const known = (kind: string, hmac: string) => sql`
  select i.case_id from identifiers i where i.kind = ${kind} and i.hmac = decode(${hmac}, 'hex') and i.version = (
    select max(z.version) from zone_versions z where z.case_id = i.case_id and z.zone = 'identity')`

const CandidateRow = CaseIndex.extend({ identityVersion: Version.nullable(), identity: Sealed.nullable() })

/** Returns a page of the cases open to the caller that match all criteria, newest first. */
export async function search(tx: Tx, given: CaseSearch, { limit, cursor }: PageQuery): Promise<Page<CaseIndex>> {
  const { keys } = tx
  const { number, iin, documentNumber, names = [] } = given
  const criteria = [
    ...(number ? [sql`c.number = ${number.toUpperCase()}`] : []),
    ...(iin ? [oneOf(known('iin', identify.iin(keys, iin)), issued(sql`iin_hmac`, identify.iin(keys, iin)))] : []),
    ...(documentNumber
      ? [
          oneOf(
            known('document', identify.document(keys, documentNumber)),
            issued(sql`number_hmac`, identify.document(keys, documentNumber)),
          ),
        ]
      : []),
    ...names.map(part => oneOf(known('name', identify.name(keys, part)))),
  ]
  const candidates = (before: string | undefined) =>
    tx.rows(
      CandidateRow,
      sql`
        select c.*, z.version as "identityVersion", ${sealed('z.content')} as identity from case_index c
          left join lateral (select version, content from zone_versions v
            where ${names.length > 0} and v.case_id = c.id and v.zone = 'identity' order by version desc limit 1) z on true
        where ${sql.join(criteria, sql` and `)} and (${before ?? null}::uuid is null or c.id < ${before ?? null}::uuid) order by c.id desc limit ${limit + 1}`,
    )
  // Opens and compares the names of one page of candidates after another, until the page of results is full.
  const found: CaseIndex[] = []
  for (let before = cursor, more = true; more && found.length <= limit; ) {
    const rows = await candidates(before)
    found.push(
      ...rows.filter(row => isNamed(tx, row, names)).map(({ identity: _, identityVersion: __, ...index }) => index),
    )
    before = rows.at(-1)?.id
    more = rows.length > limit
  }
  return pageOf(found.slice(0, limit + 1), { limit })
}

function isNamed(
  { keys }: Tx,
  { id, identityVersion, identity }: z.output<typeof CandidateRow>,
  names: readonly string[],
): boolean {
  if (!names.length) return true
  const known = sealedColumns.identity.open(keys, [id, 'identity', identityVersion ?? 0], identity)
  return known !== null && bears(known, names)
}

type Sql = ReturnType<typeof sql>
const issued = (column: Sql, hmac: string) =>
  sql`select d.case_id from documents d where not d.annulled and d.${column} = decode(${hmac}, 'hex')`
const oneOf = (...searches: Sql[]) => sql`c.id in (${sql.join(searches, sql` union `)})`
