import { randomUUID } from 'node:crypto'
import { asking, erased } from '../../support/erasing.ts'
import {
  consent,
  decision,
  document,
  offered,
  offering,
  register,
  submittedWith,
  takenUp,
} from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, type Service, type Someone } from '../../support/service.ts'

type Reply = { statusCode: number; body: string; json: () => { id: string } }
async function done(reply: Promise<Reply>): Promise<{ id: string }> {
  const { statusCode, body, json } = await reply
  if (statusCode >= 300) throw new Error(`${statusCode} ${body}`)
  return body ? json() : { id: '' }
}
const zones = { contact: {}, whereabouts: {}, protection: {} }
const day = '2021-03-08'

/** Makes accounts of every role, in two organisations of a kind where there are two, and rows in every table. */
export async function buildWorld(service: Service) {
  const { as, superuser } = service
  const people = {
    asel: await as('caseworker', 'sunrise'),
    ruslan: await as('caseworker', 'sunrise', 1),
    dina: await as('supervisor', 'sunrise'),
    pavel: await as('supervisor', 'sunrise', 1),
    zarina: await as('caseworker', 'common-home'),
    kamila: await as('supervisor', 'common-home'),
    marta: await as('caseworker', 'iom'),
    jonas: await as('supervisor', 'iom'),
    ines: await as('coordinator', 'iom'),
    bolat: await as('officer', 'almaty-city'),
    marat: await as('supervisor', 'almaty-city'),
    nurlan: await as('officer', 'turkistan'),
    kairat: await as('supervisor', 'turkistan'),
    aliya: await as('officer', 'committee'),
    gulnara: await as('supervisor', 'committee'),
    samal: await as('auditor', 'oversight'),
    admin: await as('administrator', 'operator'),
  }
  const { asel, ruslan, dina, zarina, kamila, marta, jonas, bolat, nurlan, kairat, gulnara } = people
  const post = (who: Someone, path: string, body?: object) => done(who.post(path, body, idempotencyKey()))
  const act = (who: Someone, path: string, of: number, body?: object) =>
    done(who.post(path, body, { ...idempotencyKey(), ...ifMatch(of) }))
  const share = (who: Someone, id: string, to: Someone, more: object = {}) =>
    post(who, `/v1/cases/${id}/grants`, {
      to: to.organisation.id,
      purpose: 'legal_aid',
      zones: ['identity', 'contact'],
      validUntil: '2031-11-23',
      basis: consent,
      ...more,
    })
  /** Inserts an open grant that the service would not make, for example one that has expired without being closed. */
  const insertGrant = (id: string, owner: Someone, to: Someone, open: string, until: string) => superuser`
    insert into grants (case_id, owner_id, giver_id, recipient_id, purpose, zones, basis, opened_at, valid_until, given_by)
    values (${id}, ${owner.organisation.id}, ${owner.organisation.id}, ${to.organisation.id}, 'legal_aid', ${open}::zone[],
      'consent', now() - interval '9 days', now() + ${until}::interval, ${owner.account})`
  const work = async (who: Someone, id: string) => {
    const at = `/v1/cases/${id}`
    await post(who, `${at}/notes`, { audience: 'organisation', text: 'Ours' })
    const note = await post(who, `${at}/notes`, { audience: 'case', text: 'For all' })
    await done(who.put(`/v1/notes/${note.id}`, { text: 'For all, rewritten' }, ifMatch(1)))
    const struck = await post(who, `${at}/notes`, { audience: 'case', text: 'Wrong' })
    await act(who, `/v1/notes/${struck.id}/strike`, 1, { reason: 'By mistake' })
    const task = await post(who, `${at}/tasks`, { title: 'Ask' })
    await act(who, `/v1/tasks/${task.id}/completion`, 1)
    await post(who, `${at}/tasks`, { title: 'Ask again' })
    const flag = await post(who, `${at}/flags`, { kind: 'urgent', reason: 'Soon' })
    return { note: note.id, flag: flag.id }
  }
  const person = { ...registration().person, ...zones }

  // Shared, passed on, submitted, offered to another division.
  const shared = await register(asel, { person })
  await share(asel, shared.id, marta, { onward: true })
  await share(marta, shared.id, zarina, { basis: undefined, zones: ['identity'] })
  await share(dina, shared.id, kamila, {
    basis: { kind: 'vital_interest', reason: 'Danger' },
    validUntil: '2031-01-01',
  })
  await done(shared.step(asel, { action: 'start_assessment', occurredOn: day }))
  await done(shared.step(asel, { action: 'amend', category: 'no_document', reason: 'Seen' }))
  const submission = await offered(shared, asel, bolat.organisation, { message: 'Papers are with us.' })
  await done(submission.decide(bolat, 'accept'))
  await offered(shared, bolat, nurlan.organisation, { kind: 'hand_over', grant: undefined, message: 'Yours' })
  await work(asel, shared.id)
  await work(marta, shared.id)
  await work(bolat, shared.id)

  // Handed over: the former handler can no longer see it.
  const handed = await register(asel, { person })
  await done(handed.step(asel, { action: 'start_assessment', occurredOn: day }))
  await done((await offered(handed, asel, bolat.organisation)).decide(bolat, 'accept'))
  const handOver = await offered(handed, bolat, nurlan.organisation, {
    kind: 'hand_over',
    grant: undefined,
    message: 'Yours',
  })
  await done(handOver.decide(nurlan, 'accept'))

  // Offered, and not accepted.
  const waiting = await register(asel, { person })
  await done(waiting.step(asel, { action: 'start_assessment', occurredOn: day }))
  await done(offering(waiting, asel, { kind: 'submission', to: bolat.organisation.id, grant: submittedWith }))

  // A case of the colleague. Its grant was revoked after the recipient had passed it on and had worked on the case.
  const revoked = await register(ruslan, { person })
  const lost = await share(ruslan, revoked.id, marta, { onward: true })
  const onward = await share(marta, revoked.id, zarina, { basis: undefined, zones: ['identity'] })
  const former = await work(marta, revoked.id)
  await act(marta, `/v1/grants/${onward.id}/revocation`, 1, { reason: 'Not needed' })
  await act(ruslan, `/v1/grants/${lost.id}/revocation`, 1, { reason: 'Asked for' })

  // Suspended, with what was given onward, since the person may be a child.
  const suspended = await register(asel, { person })
  await share(asel, suspended.id, marta, { onward: true })
  await share(marta, suspended.id, zarina, { basis: undefined, zones: ['identity'] })
  const child = { ...person.identity, birth: { precision: 'year', year: 2020 } }
  await done(asel.put(`/v1/cases/${suspended.id}/person/identity`, child, ifMatch(1)))

  // Transferred, with texts and a proposal of the former owner.
  const moved = await register(asel, { person })
  await done(moved.step(asel, { action: 'amend', category: 'no_document', reason: 'Seen' }))
  await work(asel, moved.id)
  await done(moved.propose(asel, { action: 'close', reason: 'error', note: 'Twice on file' }))
  const transfer = await offered(moved, asel, marta.organisation, {
    kind: 'transfer',
    grant: undefined,
    basis: consent,
  })
  await done(transfer.decide(marta, 'accept'))

  // Withdrawn.
  const withdrawn = await register(asel, { person })
  await done(withdrawn.step(asel, { action: 'withdraw' }))

  // Erased, and to be erased.
  const gone = await register(asel, { person })
  await done(gone.step(asel, { action: 'withdraw' }))
  await erased(asel, dina, gone.id)
  await done(asking(asel, withdrawn.id))
  await post(people.admin, '/v1/retention-runs')

  // Decided and documented; open to others for some zones, or no longer open.
  const decided = await takenUp(nurlan)
  await done(decided.together(nurlan, kairat, { ...decision, occurredOn: '2021-05-03' }))
  await done(decided.step(nurlan, { action: 'open_documentation', occurredOn: '2021-05-04' }))
  await done(decided.together(nurlan, kairat, { ...document(undefined, '2021-06-01'), occurredOn: '2021-06-01' }))
  await insertGrant(decided.id, nurlan, marta, '{contact}', '9 days')
  await insertGrant(decided.id, nurlan, zarina, '{identity}', '-1 day')
  await insertGrant(decided.id, nurlan, zarina, '{contact}', '9 days')
  await insertGrant(decided.id, nurlan, bolat, '{identity,contact}', '-1 day')
  const proposed = await takenUp(nurlan)
  await done(proposed.propose(nurlan, { ...decision, occurredOn: '2021-05-03' }))

  const relate = (from: string, to: string) =>
    post(asel, `/v1/cases/${from}/relations`, { kind: 'sibling', caseId: to })
  await relate(shared.id, revoked.id)
  await relate(waiting.id, shared.id)
  await superuser`insert into relations (case_id, kind, other_id, organisation_id, made_by, ended_at, ended_by)
    values (${shared.id}, 'child', ${waiting.id}, ${asel.organisation.id}, ${asel.account}, now(), ${asel.account})`

  const campaigns = [gulnara, jonas].map(who => post(who, '/v1/campaigns', { name: 'Of one', startsOn: '2020-01-01' }))
  await Promise.all(campaigns)
  const jobs: string[] = []
  for (const { account, organisation } of [nurlan, bolat]) {
    const id = randomUUID()
    jobs.push(id)
    await superuser`insert into jobs (id, kind, account_id, organisation_id, state)
      values (${id}, 'import', ${account}, ${organisation.id}, 'done')`
    await superuser`insert into imports (job_id, dry_run) values (${id}, true)`
    await superuser`insert into import_chunks (job_id, position, content) values (${id}, 0, 'sealed')`
    await superuser`insert into import_faults (job_id, line, field, reason) values (${id}, 2, 'regionCode', 'required')`
  }
  const invite = async (who: Someone, name: string, role: string) =>
    post(who, '/v1/accounts', { email: `${name}@new.example`, name, roles: [role] })
  await invite(dina, 'New', 'caseworker')
  await invite(kamila, 'Newer', 'caseworker')
  // What waits for a second person: a supervisor, and a new role of an account.
  await invite(dina, 'Second', 'supervisor')
  await superuser`insert into role_requests
    values (${zarina.account}, 'ngo', '{supervisor}', ${kamila.account}, now() + interval '1 day')`
  await superuser`insert into enrolments (account_id, code_hash, expires_at)
    values (${asel.account}, 'of asel', now()), (${zarina.account}, 'of zarina', now())`
  const [empty] =
    await superuser`insert into organisations (kind, name, short_name) values ('ngo', 'Nobody yet', 'nobody') returning id`
  // A task about an account, for supervisors.
  await superuser`insert into tasks (kind, organisation_id, account_id, created_by)
    values ('ask_about_openings', ${asel.organisation.id}, ${asel.account}, null)`
  // An organisation with only one supervisor.
  await superuser`insert into accounts (organisation_id, organisation_kind, email, name, roles, status, password_hash)
    values (${empty?.id}, 'ngo', 'only@new.example', 'Only', '{supervisor}', 'active', 'x')`

  // In the custody of the IOM, once with a grant that it had before.
  const entrusted = await register(zarina, { person })
  await done(entrusted.step(zarina, { action: 'start_assessment', occurredOn: day }))
  await done((await offered(entrusted, zarina, bolat.organisation)).decide(bolat, 'accept'))
  await share(zarina, entrusted.id, asel)
  const known = await register(zarina, { person })
  await share(zarina, known.id, marta, { zones: ['identity'] })
  const commonHome = zarina.organisation.id
  await superuser`update installation set custodian_id = ${marta.organisation.id}`
  await superuser`update organisations set status = 'closing' where id = ${commonHome}`
  await superuser`update organisations set closing_until = app.today() - 1 where id = ${commonHome}`
  await superuser`select app.entrust_cases(10)`
  await superuser`update organisations set status = 'active' where id = ${commonHome}`

  const cases = { shared, handed, waiting, revoked, moved, withdrawn, gone, decided, proposed, entrusted, known }
  const ids = Object.fromEntries(Object.entries(cases).map(([name, { id }]) => [name, id])) as Record<
    keyof typeof cases,
    string
  >
  return {
    people,
    ids,
    jobs,
    lostNote: former.note,
    empty: empty?.id as string,
  }
}

export type World = Awaited<ReturnType<typeof buildWorld>>
