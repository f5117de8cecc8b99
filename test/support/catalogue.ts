import type postgres from 'postgres'

/**
 * Lists the content of a database's catalogue, one line each: tables, columns (as a set), constraints, indexes, functions,
 * views, policies, triggers, types, owners, settings of roles, and the resulting rights. Databases with the same lines behave
 * in the same way.
 */
export async function catalogueOf(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql`
    with schemas as (select oid, nspname from pg_namespace where nspname in ('public', 'app')),
    classes as (select c.*, c.oid::regclass::text as name from pg_class c join schemas s on s.oid = c.relnamespace),
    functions as (select p.*, p.oid::regprocedure::text as signature from pg_proc p join schemas s on s.oid = p.pronamespace)
    select concat_ws(' ', 'relation', name, relkind, relrowsecurity, relforcerowsecurity, reloptions, relowner::regrole) as line
      from classes where relkind <> 'i'
    union all
    select concat_ws(' ', 'column', c.name, attname, format_type(atttypid, atttypmod), attnotnull, attgenerated,
        pg_get_expr(adbin, adrelid))
      from classes c join pg_attribute a on attrelid = c.oid and attnum > 0 and not attisdropped
        left join pg_attrdef d on adrelid = c.oid and adnum = attnum where relkind <> 'i'
    union all
    select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(k.oid), condeferrable, condeferred)
      from pg_constraint k join schemas s on s.oid = connamespace
    union all
    select concat_ws(' ', 'index', pg_get_indexdef(oid)) from classes where relkind = 'i'
    union all
    select concat_ws(' ', 'function', signature, proowner::regrole, case when prokind = 'a' then 'aggregate'
        else pg_get_functiondef(oid) end) from functions
    union all
    select concat_ws(' ', 'aggregate', signature, aggtransfn, agginitval) from functions join pg_aggregate on aggfnoid = oid
    union all
    select concat_ws(' ', 'view', name, pg_get_viewdef(oid)) from classes where relkind = 'v'
    union all
    select concat_ws(' ', 'policy', c.name, polname, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid),
        'check', pg_get_expr(polwithcheck, polrelid))
      from pg_policy p join classes c on c.oid = polrelid
    union all
    select concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid), tgenabled)
      from pg_trigger t join classes c on c.oid = tgrelid where not tgisinternal
    union all
    select concat_ws(' ', 'label', enumtypid::regtype, enumlabel, row_number() over (partition by enumtypid order by enumsortorder))
      from pg_enum
    union all
    select concat_ws(' ', 'setting', coalesce(d.datname, 'all'), setrole::regrole, s.setting)
      from pg_db_role_setting left join pg_database d on d.oid = setdatabase, unnest(setconfig) s(setting)
      where d.datname is null or d.datname = current_database()
    union all
    select concat_ws(' ', 'schema', nspname, grantee::regrole, privilege_type)
      from pg_namespace n, aclexplode(nspacl) where nspname in ('public', 'app')
    union all
    select concat_ws(' ', 'default', defaclrole::regrole, defaclobjtype, defaclacl) from pg_default_acl
    union all
    select concat_ws(' ', 'right', role, privilege, name) from classes, unnest(array['app', 'definer', 'public']) role,
        unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) privilege
      where relkind in ('r', 'v') and has_table_privilege(role, oid, privilege)
    union all
    select concat_ws(' ', 'right', role, privilege, c.name, attname) from classes c join pg_attribute on attrelid = c.oid and attnum > 0,
        unnest(array['app', 'definer', 'public']) role, unnest(array['select', 'insert', 'update', 'references']) privilege
      where relkind in ('r', 'v') and not attisdropped and has_column_privilege(role, c.oid, attnum, privilege)
    union all
    select concat_ws(' ', 'right', role, 'execute', signature) from functions, unnest(array['app', 'definer', 'public']) role
      where has_function_privilege(role, oid, 'execute')
    order by 1`
  return rows.map(({ line }) => line as string)
}
