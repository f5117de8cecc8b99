// The wall by itself, as role app in SQL: who sees what of each table, and what nobody can write.
import t from 'tap'
import { inSql } from '../support/in-sql.ts'
import { startService } from '../support/service.ts'
import { onCases, onOthers } from './forbidden.ts'
import { keyOf, seen } from './seen.ts'
import { buildWorld } from './world.ts'

t.test('the wall', async t => {
  const service = await startService(t)
  const { superuser } = service
  const world = await buildWorld(service)
  const { people } = world
  const readable = await superuser`select c.oid::regclass::text as table from pg_class c where relkind = 'r'
    and has_any_column_privilege('app', c.oid, 'SELECT') and relnamespace in ('public'::regnamespace, 'app'::regnamespace) order by 1`
  const tables = readable.map(({ table }) => table as string)
  t.same(Object.keys(seen(people.asel)).sort(), [...tables].sort(), 'of every table something is said here')

  const rows = (conditions: Record<string, string>) =>
    `select ${Object.entries(conditions)
      .map(
        ([table, condition]) =>
          `array(select ${keyOf(table)}::text from ${table} where ${condition} order by 1) as "${table}"`,
      )
      .join(', ')}`
  const openGrants = 'select array(select id from open_grants order by 1) as ids'
  const all = Object.fromEntries(tables.map(table => [table, 'true']))

  const once = new Set<string>()
  for (const [name, who] of Object.entries(people))
    await superuser.begin(async sql => {
      const { account, organisation, role } = who
      const actor = { account, organisation: organisation.id, kind: organisation.kind, roles: [role] }
      await sql`select app.act_as(${JSON.stringify(actor)}::text::jsonb)`
      const [expected] = await sql.unsafe(rows(seen(who)))
      const [grants] = await sql`select array(select id from grants where recipient_id = ${organisation.id}
        and closed_at is null and opened_at < app.now() and app.now() < valid_until order by 1) as ids`
      await sql.unsafe('set local role app')
      const [read] = await sql.unsafe(rows(all))
      t.same({ ...read }, { ...expected }, `${name} sees what they may`)
      for (const table of tables) if (read?.[table].length) once.add(table)
      for (const reader of ['app', 'definer']) {
        await sql.unsafe(`set local role ${reader}`)
        t.same((await sql.unsafe(openGrants))[0], grants, `what is open to ${name}, as ${reader}`)
      }
    })
  t.same(
    tables.filter(table => !once.has(table)),
    [],
    'somebody sees something of every table',
  )
  await t.test('to nobody there is nothing but what everybody knows', async t => {
    const [read] = await superuser.begin(async sql => {
      await sql.unsafe('set local role app')
      return sql.unsafe(rows(all))
    })
    const known = tables.filter(table => read?.[table].length)
    t.same(known, [
      'app.migrations',
      'codes',
      'consent_forms',
      'former_region_names',
      'installation',
      'lifecycle',
      'purposes',
      'referral_decisions',
      'referral_rules',
      'regions',
      'terms',
      'thresholds',
    ])
  })

  await t.test('what nobody can write, and what they can, even if every column were granted', async t => {
    const attempt = inSql(service, 'grant all on all tables in schema public to app')
    for (const [who, text, comes] of [...onCases(world), ...onOthers(world)])
      t.equal(await attempt(who, text), comes, `${who.email}: ${text}`)
  })
})
