import { randomUUIDv7 } from 'node:crypto'
import { Connection, type Endpoint, type Send } from '../src/platform/db/connection.ts'

/** A statement that is sent repeatedly on one connection. */
export type Ask = (send: Send) => PromiseLike<unknown>

/** The tables of one registration, and the condition that selects its rows. */
const tables = {
  cases: 'id = $1',
  case_events: 'case_id = $1',
  grants: 'case_id = $1',
  case_access: 'case_id = $1',
  zone_versions: 'case_id = $1',
  identifiers: 'case_id = $1',
  idempotency: `location = $1`,
  entries: 'id = (select entry_id from case_events where case_id = $1)',
}

/** Creates bare copies of these tables: the same columns and indexes; no triggers, no policies, no foreign keys. */
export const makeBareTables = (superuser: Endpoint): Promise<void> =>
  Connection.with(superuser, async connection => {
    const copies = Object.keys(tables).map(table => `create table bare.${table} (like ${table} including indexes);`)
    await connection.script(`create schema bare; ${copies.join('\n')}
      insert into bare.cases table cases; create index on bare.cases (owner_id, state, id)`)
    await connection.script('vacuum analyze bare.cases')
  })

export const selectOne =
  (ids: readonly string[]): Ask =>
  send =>
    send('select * from bare.cases where id = $1', [ids[Math.floor(Math.random() * ids.length)]])

export const listNewest =
  (owner: string, state: string): Ask =>
  send =>
    send('select * from bare.cases where owner_id = $1 and state = $2 order by id desc limit 50', [owner, state])

/** Inserts the rows of this registration again with other ids, in one transaction, all statements sent at once. */
export const insertAgain = (superuser: Endpoint, caseId: string): Promise<Ask> =>
  Connection.with(superuser, async ({ send }) => {
    const inserts: { text: string; values: { value: string | null; own: boolean }[] }[] = []
    for (const [table, ofCase] of Object.entries(tables)) {
      const columns = await send(
        `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid = $1::regclass and attnum > 0 order by attnum`,
        [table],
      )
      const named = columns.map(({ name }) => name).join(', ')
      const given = columns.map(({ type }, i) => `$${i + 1}::text::${type}`).join(', ')
      const rows = await send(
        `select ${columns.map(({ name }) => `${name}::text`).join(', ')} from ${table} where ${ofCase}`,
        [caseId],
      )
      if (!rows.length) throw new Error(`the registration has no row in ${table}`)
      for (const row of rows)
        inserts.push({
          text: `insert into bare.${table} (${named}) values (${given})`,
          values: columns.map(({ name }) => ({ value: row[name], own: own.test(name) })),
        })
    }
    return send => {
      const ids = new Map<string, string>()
      const another = (value: string) => {
        const id = ids.get(value) ?? randomUUIDv7()
        ids.set(value, id)
        return value.startsWith('\\x') ? `\\x${id.replaceAll('-', '')}` : id
      }
      send('begin')
      for (const { text, values } of inserts)
        send(
          text,
          values.map(({ value, own }) => (own && value !== null ? another(value) : value)),
        )
      return send('commit').then(({ command }) => {
        if (command !== 'COMMIT') throw new Error('the bare inserts were not committed')
      })
    }
  })

/** Columns with values unique to a registration. */
const own = /^(id|case_id|entry_id|location|key|number|hmac|external_hmac)$/
