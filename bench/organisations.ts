import type { Send } from '../src/platform/db/connection.ts'
import { type Demonstration, readDemonstration } from '../src/programs/demonstration-accounts.ts'

export type Organisation = {
  id: string
  kind: 'committee' | 'division' | 'ngo' | 'iom'
  account: string
  parent: string | null
}
export type Person = Demonstration[number]

/** How many there are of each kind; with one of oversight and one of the operator, 40. */
const wanted = { committee: 1, division: 15, ngo: 21, iom: 1 }

/** Adds organisations and accounts to those of the demonstration; all have its password. */
export async function makeOrganisations(send: Send): Promise<Organisation[]> {
  for (const kind of ['division', 'ngo'] as const) {
    await send(
      `insert into organisations (kind, parent_id, name, short_name)
       select $1::text::organisation_kind, case when $1::text = 'division' then (select id from organisations where kind = 'committee') end,
         'Bench ' || $1::text || ' ' || n, 'bench-' || $1::text || '-' || n
       from generate_series(1, $2::int - (select count(*)::int from organisations where kind::text = $1::text)) n`,
      [kind, wanted[kind]],
    )
  }
  await send(
    `insert into accounts (organisation_id, organisation_kind, email, name, roles, status, password_hash)
     select o.id, o.kind, role || '@' || o.short_name || '.example', initcap(role), array[role], 'active',
       (select password_hash from accounts where password_hash is not null limit 1)
     from organisations o, lateral (values ('supervisor'), (case o.kind when 'division' then 'officer' else 'caseworker' end)) r(role)
     where o.short_name like 'bench-%'`,
  )
  return (await send(
    `select o.id, o.kind, o.parent_id as parent, (select a.id from accounts a where a.organisation_id = o.id
       order by 'supervisor' = any (a.roles), a.email limit 1) as account
     from organisations o where o.kind in ('committee', 'division', 'ngo', 'iom')
     order by o.short_name like 'bench-%', o.short_name desc`,
  )) as unknown as Organisation[]
}

/** Returns a caseworker or officer of the first organisation of its kind, which has the most cases. */
export function workerOf(dataDir: string, kind: Organisation['kind'], organisations: readonly Organisation[]): Person {
  const largest = organisations.find(organisation => organisation.kind === kind)
  const found = readDemonstration(dataDir)?.find(
    ({ organisation, role }) => organisation.id === largest?.id && ['caseworker', 'officer'].includes(role),
  )
  if (!found) throw new Error(`the demonstration has no caseworker or officer in a ${kind}`)
  return found
}
