import type postgres from 'postgres'
import { weaker } from './conjuncts.ts'

/** A change of the wall that opens or removes one condition, policy or privilege. */
export type Mutant = { name: string; sql: string }

/** Returns all mutants: each weakens or drops a policy, a condition or a missing privilege of app. */
export const mutants = async (sql: postgres.Sql): Promise<Mutant[]> => [
  ...(await ofPolicies(sql)),
  ...(await ofTheWall(sql)),
  ...(await ofPrivileges(sql)),
  ...(await ofFunctions(sql)),
]

async function ofPolicies(sql: postgres.Sql): Promise<Mutant[]> {
  const policies = await sql<{ on: string; policy: string; using: string | null; check: string | null }[]>`
    select polrelid::regclass::text as on, polname as policy, pg_get_expr(polqual, polrelid) as using,
      pg_get_expr(polwithcheck, polrelid) as check
    from pg_policy where polroles && array[0, (select oid from pg_roles where rolname = 'app')] order by 1, 2`
  return policies.flatMap(({ on, policy, using, check }) => {
    const mutant = (what: string, text: string): Mutant => ({
      name: `${on}.${policy}: ${what}`,
      sql: text,
    })
    const weakened = (clause: string, condition: string | null) =>
      condition === null || condition === 'true'
        ? []
        : [{ without: '', text: 'true' }, ...weaker(condition)].map(({ without, text }) =>
            mutant(
              `${clause} ${without ? `without ${without}` : 'true'}`,
              `alter policy ${policy} on ${on} ${clause} (${text})`,
            ),
          )
    return [
      mutant('dropped', `drop policy ${policy} on ${on}`),
      ...weakened('using', using),
      ...weakened('with check', check),
    ]
  })
}

async function ofTheWall(sql: postgres.Sql): Promise<Mutant[]> {
  const [view] = await sql`select pg_get_viewdef('open_grants'::regclass) as text`
  return weaker(view?.text).map(({ without, text }) => ({
    name: `open_grants: without ${without}`,
    sql: `create or replace view open_grants with (security_invoker) as ${text}`,
  }))
}

/** Grants each privilege on a table that app does not have, or has only for some columns. */
async function ofPrivileges(sql: postgres.Sql): Promise<Mutant[]> {
  const privileges = await sql`select c.oid::regclass::text as table, privilege
    from pg_class c, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) with ordinality p(privilege, place)
    where relnamespace in ('public'::regnamespace, 'app'::regnamespace) and relkind in ('r', 'p', 'v')
      and not has_table_privilege('app', c.oid, privilege)
    order by 1, place`
  return privileges.map(({ table, privilege }) => ({
    name: `${table}: ${privilege} granted`,
    sql: `grant ${privilege} on ${table} to app`,
  }))
}

async function ofFunctions(sql: postgres.Sql): Promise<Mutant[]> {
  const functions = await sql`select oid::regprocedure::text as signature, prokind = 'p' as procedure from pg_proc
    where pronamespace = 'app'::regnamespace and not has_function_privilege('app', oid, 'EXECUTE') order by 1`
  return functions.map(({ signature, procedure }) => ({
    name: `${signature}: execute granted`,
    sql: `grant execute on ${procedure ? 'procedure' : 'function'} ${signature} to app`,
  }))
}
