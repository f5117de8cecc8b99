import { sql } from 'drizzle-orm'
import type { Tx } from '../db/database.ts'
import { type Page, type PageQuery, pageOf } from '../db/page.ts'
import { identify } from '../zones/identifiers.ts'
import type { CaseIndex, CaseSearch } from './contract.ts'

/** What the person is known by now: of each identity the newest version. */
const known = (kind: string, hmac: string) => sql`
  select i.case_id from identifiers i where i.kind = ${kind} and i.hmac = decode(${hmac}, 'hex') and i.version = (
    select max(z.version) from zone_versions z where z.case_id = i.case_id and z.zone = 'identity')`

/** The cases of the caller's view to which all of this applies, the newest first. */
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
  const rows = await tx.execute<CaseIndex>(sql`
    select c.* from case_index c
    where ${sql.join(criteria, sql` and `)} and (${cursor ?? null}::uuid is null or c.id < ${cursor ?? null}::uuid)
    order by c.id desc limit ${limit + 1}`)
  return pageOf(rows, { limit })
}

type Sql = ReturnType<typeof sql>
const issued = (column: Sql, hmac: string) =>
  sql`select d.case_id from documents d where not d.annulled and d.${column} = decode(${hmac}, 'hex')`
const oneOf = (...searches: Sql[]) => sql`c.id in (${sql.join(searches, sql` union `)})`
