import type { Someone } from '../../support/service.ts'

export const publicKnowledge = [
  ...['app.migrations', 'codes', 'consent_forms', 'former_region_names', 'installation', 'lifecycle', 'purposes'],
  ...['referral_decisions', 'referral_rules', 'regions', 'retention_rules', 'terms', 'thresholds'],
]
/** Visible to everybody who has signed in. */
const directories = ['organisations', 'coverage', 'campaigns']

/**
 * Returns for each table the condition of the rows that an account may see, written independently of the policies: from
 * the grants themselves, for a role that bypasses all policies.
 */
export function seen({ account, organisation, role }: Someone): Record<string, string> {
  const [me, us] = [`'${account}'::uuid`, `'${organisation.id}'::uuid`]
  const shown = role === 'supervisor' ? 'true' : `basis <> 'custody'`
  const open = (of: string, zone?: string) => `${of} in (select g.case_id from grants g
    where g.recipient_id = ${us} and ${shown} and g.closed_at is null and g.suspended_for = '{}' and g.opened_at <= app.now() and app.now() < g.valid_until
    ${zone ? `and ${zone} = any (g.zones)` : ''})`
  const ours = `organisation_id = ${us}`
  const ourDivisions = `organisation_id in (select id from organisations where ${us} in (id, parent_id))`
  // Administrators confirm what waits in other organisations, and bring back a supervisor who is the only one.
  const managed = {
    supervisor: ourDivisions,
    auditor: ours,
    administrator: `(${ours} or id in (
        select account_id from enrolments where needs_second and confirmed_by is null
        union select account_id from role_requests)
      or status = 'active' and 'supervisor' = any (roles) and 1 = (select count(*) from accounts other
        where other.organisation_id = accounts.organisation_id and status = 'active' and 'supervisor' = any (roles)))`,
  }[role as string]
  const accounts = `(id = ${me} or ${managed ?? false})`
  const grants = `((recipient_id = ${us} and opened_at is not null and ${shown}) or (${us} in (owner_id, giver_id) and ${open('case_id')}))`
  const over = `(case when state in ('accepted', 'ended') then kind <> 'transfer' else false end)`
  const referrals = `(to_id = ${us} or (owner_id = ${us} and ${open('case_id')}) or (from_id = ${us} and (not ${over} or ${open('case_id')})))`
  const notes = `(${ours} or (audience = 'case' and ${open('case_id')}))`
  const identified = open('case_id', `'identity'`)
  const jobs = `account_id = ${me}`
  const ofJobs = `job_id in (select id from jobs where ${jobs})`
  const known = Object.fromEntries([...publicKnowledge, ...directories].map(table => [table, 'true']))
  return {
    ...known,
    accounts,
    assignments: `${ours} and ${open('case_id')}`,
    case_access: `${ours} and ${open('case_id')}`,
    case_events: open('case_id'),
    cases: open('id'),
    decisions: identified,
    documents: identified,
    enrolments: `account_id in (select id from accounts where ${accounts})`,
    erasures: `holder_id = ${us}`,
    event_texts: `${ourDivisions} and ${open('case_id')}`,
    flags: `${ours} and ${open('case_id')}`,
    grant_texts: `${ours} and grant_id in (select id from grants where ${grants})`,
    grants,
    idempotency: jobs,
    identifiers: identified,
    import_chunks: ofJobs,
    import_faults: ofJobs,
    imports: ofJobs,
    jobs,
    note_versions: `(note_id, version) in (select n.id, v.version from notes n join note_versions v on v.note_id = n.id
      where ${notes} and (${ours} or not struck and v.version = (select max(version) from note_versions where note_id = n.id)))`,
    notes,
    proposals: `${ourDivisions} and ${open('case_id')}`,
    referral_texts: `referral_id in (select id from referrals where ${referrals} and (from_id = ${us} or to_id = ${us}))`,
    referrals,
    relations: `${open('case_id')} and ${open('other_id')}`,
    role_requests: `account_id in (select id from accounts where ${accounts})`,
    retention_runs: String(role === 'administrator'),
    sessions: jobs,
    tasks: `${ours} and (account_id is null or ${role === 'supervisor'}) and (case_id is null or ${open('case_id')})`,
    zone_versions: `${open('case_id', 'zone')} and (zone <> 'protection' or ${role === 'supervisor'}
      or case_id in (select id from cases where owner_id <> ${us} or assignee_id = ${me}))`,
  }
}

/** The column that identifies the rows of a table; for tables of which only some columns are readable, `id`. */
export const keyOf = (table: string) => (['accounts', 'referrals'].includes(table) ? 'id' : 'ctid')
