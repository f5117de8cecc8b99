import { Connection, type Endpoint } from './connection.ts'

/** Rows of a table by column. `replace`: the rows of the release replace all rows; otherwise existing rows stay. */
export type Seed = { table: string; rows: readonly Record<string, unknown>[]; replace?: boolean }

const lock = 7281_0002

/** Writes the rows of a release to the database, as its owner. May run any number of times. */
export const seed = (endpoint: Endpoint, seeds: readonly Seed[]): Promise<void> =>
  Connection.with(endpoint, connection =>
    connection.atOnce(async () => {
      await connection.send('select pg_advisory_xact_lock($1)', [lock])
      // All sent at once, run in this order.
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
