import { Connection, type Endpoint } from './connection.ts'

/** Rows of a table by column. `replace`: the release says what stands there; otherwise what stands there stays. */
export type Seed = { table: string; rows: readonly Record<string, unknown>[]; replace?: boolean }

const lock = 7281_0002

/** Puts the rows that a release brings into the database, as its owner. May run again and again. */
export const seed = (endpoint: Endpoint, seeds: readonly Seed[]): Promise<void> =>
  Connection.with(endpoint, connection =>
    connection.atOnce(async () => {
      await connection.send('select pg_advisory_xact_lock($1)', [lock])
      // In one flight, in this order.
      await Promise.all(
        seeds.flatMap(({ table, rows, replace }) => {
          const columns = Object.keys(rows[0] ?? {}).join(', ')
          const insert = `insert into ${table} (${columns})
            select ${columns} from jsonb_populate_recordset(null::${table}, $1) on conflict do nothing`
          return [...(replace ? [connection.send(`delete from ${table}`)] : []), connection.send(insert, [rows])]
        }),
      )
    }),
  )
