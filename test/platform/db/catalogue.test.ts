// Checks access control in the catalogue of the database: policies, owners, rights.
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { campaigns } from '../../../src/campaigns/campaigns/queries.ts'
import { relations } from '../../../src/casefile/relations/queries.ts'
import { coverage } from '../../../src/people/organisations/queries.ts'
import { kindsOf, OrganisationKind, Role } from '../../../src/platform/access/permissions.ts'
import { getTableConfig } from '../../../src/platform/db/drizzle.ts'
import { idempotency } from '../../../src/platform/http/idempotency.ts'
import { decisionRows, ruleRows } from '../../../src/procedure/referrals/policy.ts'
import { lifecycleRows } from '../../../src/rules/lifecycle/steps.ts'
import { startDatabase } from '../../support/service.ts'
import { golden, privilegesOf } from '../access/privileges.ts'

/** The functions that bypass row level security: each is reviewed and sets its own search path. */
const definers = [
  'abandon_job',
  'access_log',
  'acknowledge_grant',
  'action_of',
  'allowed_decisions',
  'annullable',
  'approve_erasures',
  'approved_erasures',
  'campaign_cases',
  'campaign_figures',
  'case_number',
  'case_position',
  'change_password',
  'change_task',
  'check_assignee',
  'check_event',
  'check_proposal',
  'check_step',
  'check_zone_version',
  'clear_flag',
  'close_grants',
  'compare_ledger',
  'complete_task',
  'condition_holds',
  'confirm_grant',
  'count_guess',
  'count_opened',
  'credentials',
  'decidable',
  'decide_erasure',
  'decide_referral',
  'decide_retention',
  'discard_import',
  'effects',
  'end_sessions',
  'enrol',
  'enter',
  'enter_job',
  'erase',
  'erasure_plan',
  'expire_referrals',
  'finish_tasks',
  'fold',
  'fold_rows',
  'forget_guesses',
  'forget_imports',
  'give_grant',
  'grant_of',
  'has_accounts',
  'holder_of_proposed',
  'holds',
  'holds_protection',
  'identity_version',
  'import_rows',
  'invite_first',
  'is_code',
  'is_taken',
  'joined_region',
  'keep_access',
  'keep_assignments',
  'keep_decisions',
  'keep_figures',
  'keep_readers',
  'keep_registrations_within',
  'keep_state',
  'keep_supervisor',
  'keep_zones',
  'last_move',
  'lease_job',
  'leave_case',
  'lock_case',
  'make_cases',
  'make_task',
  'manages',
  'move_owner',
  'newest_data_key',
  'number_holder',
  'offer_referral',
  'open_and_close_grants',
  'open_task',
  'own_data_key',
  'own_or_division',
  'own_password',
  'reaches',
  'read_entries',
  'recall_offers',
  'referrals_of',
  'referred',
  'refresh_session',
  'refuse_erased',
  'reject_proposal',
  'relations',
  'replay_erasure',
  'request_erasure',
  'retention_parts',
  'revoke_grant',
  'rewrite_note',
  'sealed',
  'settle_proposals',
  'settle_referral',
  'settleable',
  'start_retention',
  'start_session',
  'term_end',
  'used_elsewhere',
  'why_kept',
  'write_import',
  'write_refusal',
]

t.test('app has exactly the rights in privileges.txt (delete the file to rewrite it)', async t => {
  const { superuser } = await startDatabase(t)
  const privileges = await privilegesOf(superuser)
  if (!existsSync(golden)) writeFileSync(golden, privileges)
  t.equal(privileges, readFileSync(golden, 'utf8'))
})

t.test('the catalogue', async t => {
  const { superuser: sql } = await startDatabase(t)
  const column = async (rows: Promise<readonly Record<string, unknown>[]>) =>
    (await rows).map(row => Object.values(row)[0])

  t.same(
    await column(sql`select relname from pg_class c join pg_namespace n on n.oid = relnamespace
      where nspname in ('public', 'app') and relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)`),
    [],
    'every table has row level security, enabled and forced',
  )
  t.same(
    await column(sql`select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where nspname in ('public', 'app') and relkind = 'r' and not exists (select from pg_policy p
        where p.polrelid = c.oid and polname = 'definer' and polroles = array[(select oid from pg_roles where rolname = 'definer')])`),
    [],
    'every table has a policy for the definer',
  )
  t.same(
    await column(sql`select proname from pg_proc where pronamespace = 'app'::regnamespace and prosecdef order by 1`),
    definers,
    'exactly the listed functions bypass row level security',
  )
  t.same(
    await column(sql`select proname from pg_proc where pronamespace = 'app'::regnamespace and prosecdef
      and (proowner <> (select oid from pg_roles where rolname = 'definer') or not coalesce(proconfig, '{}') @> array['search_path=""'])`),
    [],
    'each belongs to the definer and sets its own search path',
  )
  t.same(
    [
      ...(await sql`select rolname, rolsuper, rolbypassrls, rolcanlogin from pg_roles where rolname in ('app', 'definer') order by 1`),
    ],
    [
      { rolname: 'app', rolsuper: false, rolbypassrls: false, rolcanlogin: true },
      { rolname: 'definer', rolsuper: false, rolbypassrls: false, rolcanlogin: false },
    ],
  )
  t.same(
    await column(sql`select relname from pg_class where relowner = (select oid from pg_roles where rolname = 'app')
      union all select proname from pg_proc where proowner = (select oid from pg_roles where rolname = 'app')`),
    [],
    'app owns nothing',
  )
  t.same(
    await column(sql`select distinct table_name || ' ' || privilege_type from information_schema.table_privileges
      where grantee = 'app' and privilege_type in ('DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES') order by 1`),
    ['coverage DELETE'],
    'app may delete rows of coverage only',
  )
  t.same(
    await column(sql`select table_name || '.' || column_name from information_schema.column_privileges
      where grantee = 'app' and privilege_type = 'UPDATE' and table_name in
        ('cases', 'case_access', 'case_events', 'event_texts', 'proposals', 'grants', 'zone_versions', 'identifiers', 'decisions', 'documents',
        'referrals', 'notes', 'note_versions', 'assignments', 'tasks', 'flags')`),
    ['cases.assignee_id'],
    'app may update only the assignee of a case; all else changes by events',
  )
  t.same(
    await column(sql`select table_name || '.' || column_name from information_schema.column_privileges
      where grantee = 'app' and (column_name like '%password%' or table_name in ('refresh_tokens', 'guesses'))`),
    [],
    'app reads no passwords, refresh tokens or guesses',
  )
  t.same(
    await column(
      sql`select proname from pg_proc where pronamespace = 'app'::regnamespace and has_function_privilege('public', oid, 'execute')`,
    ),
    [],
    'public may run no function',
  )
})

t.test('tables in the code equal those in the database', async t => {
  const { superuser: sql } = await startDatabase(t)
  const sorted = (lines: readonly object[]) => lines.map(line => JSON.stringify(line, Object.keys(line).sort())).sort()
  t.same(sorted(await sql`select * from lifecycle`), sorted(lifecycleRows), 'the lifecycle')
  const rules =
    await sql`select kind, relation, senders::text[], recipients::text[], states, purposes::text[], actions from referral_rules`
  t.same(sorted(rules), sorted(ruleRows), 'who may offer what')
  t.same(sorted(await sql`select * from referral_decisions`), sorted(decisionRows), 'what may be decided')
  for (const kind of OrganisationKind.options) {
    const [row] = await sql`select app.roles_of(${kind}) as roles`
    t.same(
      [...((row?.roles ?? []) as string[])].sort(),
      Role.options.filter(role => kindsOf[role].includes(kind)).sort(),
      `roles in ${kind}`,
    )
  }
})

/** Every table that a statement of the builder reads or writes. */
const tables = [campaigns, coverage, idempotency, relations]

t.test('each column of a table in the code is one in the database, of the same type', async t => {
  const { superuser: sql } = await startDatabase(t)
  const sources = globSync('src/**/*.ts').map(file => readFileSync(file, 'utf8'))
  t.equal(sources.join('').match(/ = pgTable\(/g)?.length, tables.length, 'all of them are compared')
  for (const { name, columns } of tables.map(getTableConfig)) {
    const found = await sql`select attname, format_type(atttypid, atttypmod) as type, attnotnull from pg_attribute
      where attrelid = ${name}::regclass and attnum > 0 and not attisdropped`
    for (const column of columns) {
      const attname = column.name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
      t.match(
        found.find(row => row.attname === attname),
        { type: column.getSQLType(), attnotnull: column.notNull },
        `${name}.${attname}`,
      )
    }
  }
})

t.test('the check digit of a case number is that of ISO 7064', async t => {
  const { superuser: sql } = await startDatabase(t)
  t.same([...(await sql`select app.check_digit('0794') as digit`)], [{ digit: 5 }], 'the example of the standard')
})
