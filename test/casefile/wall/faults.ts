import type postgres from 'postgres'
import { inSql } from '../../support/in-sql.ts'
import { onCases, onOthers } from './forbidden.ts'
import { keyOf, publicKnowledge, seen } from './seen.ts'
import type { World } from './world.ts'

const rows = (conditions: Record<string, string>) =>
  `select ${Object.entries(conditions)
    .map(
      ([table, condition]) =>
        `array(select ${keyOf(table)}::text from ${table} where ${condition} order by 1) as "${table}"`,
    )
    .join(', ')}`
type Rows = Record<string, string[]>

/** Yields each row that the role app can see or write in SQL and should not, or cannot and should. */
export async function* faults(superuser: postgres.Sql, world: World): AsyncGenerator<string> {
  yield* ofSeeing(superuser, world)
  const attempt = inSql({ superuser }, 'grant all on all tables in schema public to app')
  for (const [who, text, comes] of [...onCases(world), ...onOthers(world)]) {
    const came = await attempt(who, text)
    if (came !== comes) yield `${who.email}, if every column were granted: ${came} instead of ${comes} for ${text}`
  }
}

async function* ofSeeing(superuser: postgres.Sql, { people }: World): AsyncGenerator<string> {
  const readable = await superuser`select c.oid::regclass::text as table from pg_class c where relkind = 'r'
    and has_any_column_privilege('app', c.oid, 'SELECT') and relnamespace in ('public'::regnamespace, 'app'::regnamespace)`
  const tables = readable.map(({ table }) => table as string)
  const everything = rows(Object.fromEntries(tables.map(table => [table, 'true'])))
  const untouched = new Set(tables)
  for (const [name, who] of Object.entries(people)) {
    const { account, organisation, role } = who
    const { read, expected } = await superuser.begin(async sql => {
      const actor = { account, organisation: organisation.id, kind: organisation.kind, roles: [role] }
      await sql`select app.act_as(${JSON.stringify(actor)}::text::jsonb)`
      const [expected] = await sql.unsafe<Rows[]>(rows(seen(who)))
      const [open] = await sql`select array(select id from grants where recipient_id = ${organisation.id}
        and (basis <> 'custody' or ${role === 'supervisor'}) and closed_at is null and suspended_for = '{}' and opened_at <= app.now() and app.now() < valid_until order by 1) as ids`
      const grants: Rows = {}
      for (const reader of ['app', 'definer']) {
        await sql.unsafe(`set local role ${reader}`)
        const [row] = await sql`select array(select id from open_grants order by 1) as ids`
        grants[`open_grants, as ${reader}`] = row?.ids
      }
      await sql.unsafe('set local role app')
      const [read] = await sql.unsafe<Rows[]>(everything)
      return {
        read: { ...read, ...grants } as Rows,
        expected: { ...expected, ...Object.fromEntries(Object.keys(grants).map(key => [key, open?.ids])) } as Rows,
      }
    })
    for (const table of new Set([...Object.keys(read), ...Object.keys(expected)])) {
      if (JSON.stringify(read[table]) !== JSON.stringify(expected[table]))
        yield `${name} sees ${read[table]?.length} rows of ${table} instead of ${expected[table]?.length}`
      if (read[table]?.length) untouched.delete(table)
    }
  }
  for (const table of untouched) yield `nobody sees a row of ${table}, so its policies are not tested`

  const [read = {}] = await superuser.begin(async sql => {
    await sql.unsafe('set local role app')
    return sql.unsafe<Rows[]>(everything)
  })
  for (const table of tables)
    if (!read[table]?.length === publicKnowledge.includes(table))
      yield `a transaction without an account sees ${read[table]?.length} rows of ${table}`
}
