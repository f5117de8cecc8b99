import t from 'tap'
import { findings } from '../../../src/oversight/audit/holds.ts'
import { asking, untilDone } from '../../support/erasing.ts'
import { assessed, consent, decision, register, submitted, takenUp } from '../../support/procedure.ts'
import { idempotencyKey, ifMatch, type Service, type Someone, startService } from '../../support/service.ts'

async function people({ as }: Service) {
  const [asel, dina, zarina, kamila, nurlan, kairat, aliya, admin, deputy] = await Promise.all([
    as('caseworker', 'sunrise'),
    as('supervisor', 'sunrise'),
    as('caseworker', 'common-home'),
    as('supervisor', 'common-home'),
    as('officer', 'turkistan'),
    as('supervisor', 'turkistan'),
    as('officer', 'committee'),
    as('administrator', 'operator'),
    as('administrator', 'operator', 1),
  ])
  return { asel, dina, zarina, kamila, nurlan, kairat, aliya, admin, deputy }
}

const withdrawn = async (who: Someone) => {
  const one = await assessed(who)
  const left = await one.step(who, { action: 'withdraw' })
  if (left.statusCode !== 200) throw new Error(left.body)
  return one
}
const starting = (who: Someone) => who.post('/v1/retention-runs', undefined, idempotencyKey())
const deciding = (who: Someone, id: string, what: 'approval' | 'rejection', of = 1) =>
  who.post(`/v1/retention-runs/${id}/${what}`, undefined, ifMatch(of))

t.test('a run that two administrators decide erases what is due, and nothing else', async t => {
  const service = await startService(t)
  const { asel, dina, zarina, nurlan, kairat, admin, deputy } = await people(service)
  const [old, flagged, refused] = [await withdrawn(asel), await withdrawn(asel), await withdrawn(asel)]
  const others = await withdrawn(zarina)
  await asel.post(`/v1/cases/${flagged.id}/flags`, { kind: 'legal_hold', reason: 'A complaint' })
  const open = await register(asel)
  const procedure = await takenUp(nurlan)
  await procedure.together(nurlan, kairat, {
    ...decision,
    action: 'discontinue',
    outcome: 'discontinued',
    reason: 'died',
  })

  t.match((await starting(admin)).json(), { parts: [], state: 'requested' }, 'nothing is due yet')
  await service.travel(5 * 366)
  const recent = await withdrawn(asel)
  const started = await starting(admin)
  t.equal(started.statusCode, 201)
  const run = started.json()
  const part = (name: string, cases: number, done = 0) => ({
    organisation: { id: service.organisation(name).id },
    purpose: 'case_management',
    legalReference: /personal data/,
    cases,
    done,
  })
  t.match(run.parts, [part('common-home', 1), part('sunrise', 2)])
  t.same((await starting(deputy)).json().parts, [], 'what waits for a decision is not part of another run')
  t.equal((await deciding(admin, run.id, 'approval')).json().type, '/problems/same-person')
  for (const who of [dina, nurlan, asel]) t.equal((await deciding(who, run.id, 'approval')).statusCode, 403)
  t.equal((await deciding(deputy, run.id, 'approval', 2)).statusCode, 412)

  const mine = (await asel.get('/v1/erasures?state=requested')).json().items
  t.same(mine.map(({ caseId }: { caseId: string }) => caseId).sort(), [old.id, refused.id].sort())
  const [objected, agreed] = [refused.id, old.id].map(id =>
    mine.find(({ caseId }: { caseId: string }) => caseId === id),
  )
  t.match(objected, { retentionRunId: run.id, legalBasis: 'retention_ended', purpose: 'case_management', reason: null })
  t.equal(
    (await dina.post(`/v1/erasures/${objected.id}/approval`, undefined, ifMatch(1))).statusCode,
    403,
    'an erasure of a run is approved only with the run',
  )
  t.match((await dina.post(`/v1/erasures/${objected.id}/rejection`, undefined, ifMatch(1))).json(), {
    state: 'rejected',
  })

  t.match((await deciding(deputy, run.id, 'approval')).json(), { state: 'approved', settledBy: deputy.account })
  await untilDone(asel, agreed.id)
  t.same((await old.read(asel)).person, {})
  t.same((await others.read(zarina)).person, {})
  for (const one of [flagged, refused, open, recent]) t.match((await one.read(asel)).person.identity.sex, 'male')
  t.match((await procedure.read(nurlan)).person.identity.sex, 'male')
  t.match((await admin.get(`/v1/retention-runs/${run.id}`)).json().parts, [
    part('common-home', 1, 1),
    part('sunrise', 2, 1),
  ])
  t.equal((await deciding(deputy, run.id, 'approval', 2)).json().type, '/problems/erasure-settled')
  t.equal((await starting(admin)).json().parts[0].cases, 1, 'the next run asks again for a rejected erasure')
  t.same(await findings(service.endpoint('owner')), [])
})

t.test('a file that is kept again when a run is approved is not erased', async t => {
  const service = await startService(t)
  const { asel, admin, deputy } = await people(service)
  const [one, other] = [await withdrawn(asel), await withdrawn(asel)]
  await service.travel(5 * 366)
  const run = (await starting(admin)).json()
  await asel.post(`/v1/cases/${one.id}/flags`, { kind: 'legal_hold', reason: 'A complaint' })
  await deciding(deputy, run.id, 'approval')
  const of = async (id: string) =>
    (await asel.get('/v1/erasures')).json().items.find(({ caseId }: { caseId: string }) => caseId === id)
  await untilDone(asel, (await of(other.id)).id)
  t.equal((await of(one.id)).state, 'rejected')
  t.match((await one.read(asel)).person.identity.sex, 'male')
  const again = (await starting(admin)).json()
  t.same(again.parts, [])
  t.match(
    (await deciding(admin, again.id, 'rejection')).json(),
    { state: 'rejected' },
    'its administrator withdraws it',
  )
})

t.test('an organisation keeps what it was granted for the term of the rule of the purpose', async t => {
  const service = await startService(t)
  const { asel, zarina, admin, deputy } = await people(service)
  const bolat = await service.as('officer', 'almaty-city')
  const { one } = await submitted(asel, bolat)
  await bolat.post(`/v1/cases/${one.id}/notes`, { text: 'Called' })
  const grant = await asel.post(`/v1/cases/${one.id}/grants`, {
    to: zarina.organisation.id,
    purpose: 'legal_aid',
    zones: ['identity'],
    validUntil: '2027-03-01',
    basis: consent,
  })
  t.equal(grant.statusCode, 201)
  await zarina.post(`/v1/cases/${one.id}/notes`, { text: 'Advised' })
  const due = async () =>
    (await starting(admin))
      .json()
      .parts.map((part: { organisation: { id: string }; purpose: string }) => [part.organisation.id, part.purpose])
  await service.travel(3 * 365)
  t.same(await due(), [], 'the grant ended less than three years ago')
  await service.travel(4 * 366)
  const run = (await starting(admin)).json()
  t.match(run.parts, [{ organisation: { id: zarina.organisation.id }, purpose: 'legal_aid', cases: 1 }])
  await deciding(deputy, run.id, 'approval')
  const [erasure] = (await zarina.get('/v1/erasures')).json().items
  t.match(await untilDone(zarina, erasure.id), { withFile: false })
  const [left] = await service.owner`select count(*)::int as n from data_keys where case_id = ${one.id}`
  t.equal(left?.n, 2, 'the keys of the file and of the texts of the authority')
  t.match((await one.read(asel)).person.identity.sex, 'male')
})

t.test('an open case is in use, however old it is', async t => {
  const service = await startService(t)
  const { asel, dina } = await people(service)
  const one = await register(asel)
  await service.travel(40 * 366)
  t.equal((await asking(dina, one.id)).json().type, '/problems/file-must-stay')
})

t.test('every purpose and kind of holder has a rule, with a term and a law', async t => {
  const { as, owner } = await startService(t)
  const asel = await as('caseworker', 'sunrise')
  const { items } = (await asel.get('/v1/retention-rules')).json()
  const ruled = items.map(({ purpose, kind }: { purpose: string; kind: string }) => `${purpose} ${kind}`).sort()
  const held = await owner`select purpose || ' ' || kind as held from purposes, unnest(recipients) kind
    union select 'case_management ' || unnest(array['ngo', 'iom', 'division', 'committee']) order by 1`
  t.same(ruled, held.map(row => row.held).sort())
  t.ok(items.every((rule: { legalReference: string; source: string }) => rule.legalReference && rule.source))
  const [unknown] = await owner`select count(*)::int as n from retention_rules r where app.term(r.term) is null`
  t.equal(unknown?.n, 0)
})
