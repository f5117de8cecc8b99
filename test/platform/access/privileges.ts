import type postgres from 'postgres'

export const golden = new URL('./privileges.txt', import.meta.url)

/** Returns the rights of app: one line for each right on a table or on its columns, and for each function it may run. */
export async function privilegesOf(sql: postgres.Sql): Promise<string> {
  const rows = await sql`
    with privileges as (
      select c.oid, relname, nspname, relkind, null as attname, acl.privilege_type, acl.grantee from pg_class c
        join pg_namespace n on n.oid = relnamespace, aclexplode(relacl) acl where relkind <> 'i'
      union all select c.oid, relname, nspname, relkind, attname, acl.privilege_type, acl.grantee from pg_class c
        join pg_namespace n on n.oid = relnamespace join pg_attribute a on a.attrelid = c.oid, aclexplode(attacl) acl),
    tables as (
      select nspname || '.' || relname || ' ' || lower(privilege_type)
        || coalesce(' (' || string_agg(attname, ', ' order by attname) || ')', '') as line
      from privileges where nspname in ('public', 'app') and grantee in (0, (select oid from pg_roles where rolname = 'app'))
      group by nspname, relname, privilege_type, attname is null)
    select line collate "C" as line from tables
    union all select 'execute ' || oid::regprocedure::text from pg_proc where pronamespace in ('public'::regnamespace, 'app'::regnamespace)
      and has_function_privilege('app', oid, 'execute')
    order by 1`
  return [...rows.map(({ line }) => line), ''].join('\n')
}
