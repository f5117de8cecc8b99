import type { Someone } from '../../support/service.ts'
import type { World } from './world.ts'

/** An account, a statement, and the expected result: an error code, or the number of changed rows. */
export type Attempt = [who: Someone, text: string, comes: string]

const refused = '42501'
const one = 'changed 1'

const literal = (value: unknown) => (value === null ? 'null' : `'${value}'`)
const insert = (table: string, row: Record<string, unknown>) =>
  `insert into ${table} (${Object.keys(row).join(', ')}) values (${Object.values(row).map(literal).join(', ')})`
const id = () => crypto.randomUUID()
/** Continues the transaction as another account of the same organisation. */
const then = ({ account }: Someone) => `select set_config('app.account', '${account}', true)`
const all = (...texts: string[]) => texts.join('; ')

/** Attempts on notes, tasks, flags, events, zones, links and assignees of cases. */
export function onCases({ people, ids, lostNote }: World): Attempt[] {
  const { asel, ruslan, dina, marta, jonas, nurlan, gulnara } = people
  const { shared, revoked, waiting, moved, withdrawn, gone, decided, proposed, entrusted, known } = ids
  const iom = { organisation_id: marta.organisation.id }
  const work = (table: string, row: object): Attempt[] => [
    [asel, insert(table, { id: id(), case_id: shared, ...row }), one],
    [asel, insert(table, { id: id(), case_id: shared, ...row, ...iom }), refused],
    [asel, insert(table, { id: id(), case_id: decided, ...row }), refused],
  ]
  const note = id()
  const noted = insert('notes', { id: note, case_id: shared, audience: 'case' })
  const noteVersion = (more: object) => insert('note_versions', { note_id: note, content: '{}', ...more })
  const amended = insert('case_events', {
    case_id: shared,
    action: 'amend',
    facts: '{"category": "no_document"}',
  })
  const text = ({ event = '(select id from e order by id desc limit 1)', of = shared, by = asel } = {}) =>
    `with e as (select id from case_events where case_id = '${shared}') insert into event_texts
      (event_id, case_id, organisation_id, content) values (${event}, '${of}', '${by.organisation.id}', '{}')`
  const first = '(select id from e order by id limit 1)'
  const zone = (of: string, zone: string, more: object = {}) =>
    insert('zone_versions', { case_id: of, zone, version: 2, content: '{}', ...more })
  const identifier = (more: object = {}) =>
    insert('identifiers', { case_id: shared, version: 2, kind: 'name', hmac: 'other', ...more })
  const relation = (from: string, to: string, more: object = {}) =>
    insert('relations', { id: id(), case_id: from, kind: 'child', other_id: to, ...more })
  const end = ({ account }: Someone, more = '') =>
    `update relations set ended_at = now(), ended_by = '${account}' ${more}`
  return [
    ...work('notes', { audience: 'case' }),
    ...work('tasks', { content: '{}' }),
    ...work('flags', { kind: 'urgent', content: '{}' }),
    [asel, all(noted, noteVersion({})), one],
    [asel, all(noted, noteVersion({ version: 2 })), refused],
    [asel, all(noted, then(ruslan), noteVersion({})), refused],
    [asel, noteVersion({ note_id: lostNote }), refused],

    [asel, all(amended, text()), one],
    [asel, all(amended, text({ event: first })), refused],
    [asel, all(amended, text({ of: revoked })), refused],
    [asel, all(amended, text({ by: marta })), refused],
    [asel, all(amended, then(ruslan), text()), refused],
    [asel, text({ event: first }), refused],
    [asel, amended, one],
    [asel, insert('proposals', { id: id(), case_id: revoked, action: 'close', facts: '{"reason": "error"}' }), one],
    [nurlan, insert('case_events', { case_id: proposed, action: 'amend', job_id: id(), line: 1 }), refused],

    [asel, zone(shared, 'contact'), one],
    [asel, zone(shared, 'contact', { written_by: ruslan.account }), refused],
    [marta, zone(shared, 'contact'), refused],
    [jonas, zone(known, 'whereabouts'), refused],
    [jonas, insert('notes', { id: id(), case_id: entrusted, audience: 'case' }), refused],
    [jonas, insert('tasks', { id: id(), case_id: entrusted, content: '{}' }), refused],
    [jonas, insert('flags', { id: id(), case_id: entrusted, kind: 'urgent', content: '{}' }), refused],
    [jonas, relation(entrusted, known), refused],
    [asel, zone(withdrawn, 'contact'), 'QJ001 action-not-allowed'],
    [asel, zone(shared, 'protection'), one],
    [dina, zone(shared, 'protection'), one],
    [ruslan, zone(shared, 'protection'), refused],
    [asel, all(zone(shared, 'identity'), identifier()), one],
    [asel, all(zone(shared, 'identity'), identifier({ case_id: revoked })), refused],
    [asel, all(zone(shared, 'contact'), identifier()), refused],
    [asel, all(zone(shared, 'identity'), identifier({ version: 1 })), refused],
    [asel, all(zone(shared, 'identity'), then(ruslan), identifier()), refused],
    [asel, identifier({ version: 1 }), refused],

    [asel, relation(revoked, waiting), one],
    [asel, relation(revoked, waiting, iom), refused],
    [marta, relation(shared, moved), refused],
    [asel, relation(revoked, decided), refused],
    [asel, relation(gone, waiting), refused],
    [asel, relation(revoked, gone), refused],
    [asel, end(asel), 'changed 2'],
    [marta, end(marta), 'changed 0'],
    [asel, end(dina), refused],
    [asel, end(asel, `, organisation_id = '${marta.organisation.id}'`), refused],

    [dina, 'update cases set assignee_id = null', 'changed 6'],
    [jonas, 'update cases set assignee_id = null', 'changed 3'],
    [asel, 'update cases set assignee_id = null', 'changed 0'],
    [gulnara, 'update cases set assignee_id = null', 'changed 0'],
  ]
}

/** Attempts on organisations, accounts, campaigns, audit entries, sessions and jobs. */
export function onOthers({ people, jobs, empty }: World): Attempt[] {
  const { asel, ruslan, dina, kamila, zarina, jonas, nurlan, bolat, gulnara, admin } = people
  const [own, theirs] = jobs
  const account = (organisation_id: string, more: object = {}) =>
    insert('accounts', {
      ...{
        id: id(),
        organisation_id,
        organisation_kind: 'ngo',
        email: 'x@new.example',
        name: 'X',
        roles: '{caseworker}',
      },
      ...more,
    })
  const enrolment = ({ account }: Someone) =>
    insert('enrolments', { account_id: account, code_hash: 'x', expires_at: '2030-01-01' })
  const organisation = insert('organisations', { id: id(), kind: 'ngo', name: 'X', short_name: 'x' })
  const coverage = insert('coverage', { organisation_id: bolat.organisation.id, region_code: 'KZ-10' })
  const campaign = (more: object = {}) => insert('campaigns', { id: id(), name: 'X', starts_on: '2020-01-01', ...more })
  const entry = (of: Someone, from: Someone) =>
    insert('entries', {
      ...{ id: id(), at: '2026-01-01', operation: 'x', outcome: 'done', case_ids: '{}', content: 'x' },
      ...{ account_id: of.account, organisation_id: from.organisation.id },
    })
  const job = (more: object = {}) => insert('jobs', { id: id(), kind: 'import', ...more })
  const key = (more: object = {}) => insert('idempotency', { operation: 'x', key: 'x', fingerprint: 'x', ...more })
  const operator = { organisation_kind: 'operator', roles: '{administrator}' }
  const newJob = id()
  const ofJobs = (table: string, row: object): Attempt[] => [
    [nurlan, all(job({ id: newJob }), insert(table, { job_id: newJob, ...row })), one],
    [nurlan, insert(table, { job_id: theirs, ...row }), refused],
  ]
  return [
    [dina, account(dina.organisation.id), one],
    [dina, account(dina.organisation.id, { status: 'disabled' }), refused],
    [dina, account(kamila.organisation.id), refused],
    [asel, account(asel.organisation.id), refused],
    [gulnara, account(empty), refused],
    [admin, account(empty), refused],
    [admin, account(kamila.organisation.id), refused],
    [admin, account(admin.organisation.id, operator), one],
    [dina, `update accounts set name = 'X'`, 'changed 6'],
    [asel, `update accounts set name = 'X'`, 'changed 0'],
    [dina, enrolment(ruslan), one],
    [dina, enrolment(kamila), refused],
    [asel, enrolment(asel), refused],
    [dina, `update enrolments set expires_at = '2030-01-01'`, 'changed 3'],
    [asel, `update enrolments set expires_at = '2030-01-01'`, 'changed 0'],

    [admin, organisation, one],
    [dina, organisation, refused],
    [admin, `update organisations set name = 'X'`, 'changed 10'],
    [dina, `update organisations set name = 'X'`, 'changed 0'],
    [admin, coverage, one],
    [dina, coverage, refused],
    [admin, 'delete from coverage', 'changed 4'],
    [dina, 'delete from coverage', 'changed 0'],
    [gulnara, campaign(), one],
    [gulnara, campaign({ organisation_id: jonas.organisation.id }), refused],
    [dina, campaign(), refused],
    [gulnara, `update campaigns set name = 'X'`, one],
    [dina, `update campaigns set name = 'X'`, 'changed 0'],

    [asel, entry(asel, asel), one],
    [asel, entry(ruslan, asel), refused],
    [asel, entry(asel, zarina), refused],
    [asel, key(), one],
    [asel, key({ account_id: ruslan.account }), refused],
    [asel, `update sessions set revoked_at = now()`, one],
    [asel, insert('sessions', { account_id: ruslan.account, ends_at: '2030-01-01' }), refused],

    [nurlan, job(), one],
    [nurlan, job({ account_id: bolat.account }), refused],
    [asel, job(), refused],
    [nurlan, `update jobs set failure = 'x'`, one],
    [nurlan, 'update imports set records = 1', one],
    ...ofJobs('imports', { dry_run: true }),
    ...ofJobs('import_chunks', { position: 1, content: 'x' }),
    ...ofJobs('import_faults', { line: 3, field: 'x', reason: 'x' }),
    [nurlan, insert('import_chunks', { job_id: own, position: 1, content: 'x' }), one],
  ]
}
