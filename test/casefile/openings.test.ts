// How many different cases an account may open a zone of in a day.
import t from 'tap'
import { inSql } from '../support/in-sql.ts'
import { assessed, offered, register, submittedWith } from '../support/procedure.ts'
import { idempotencyKey, ifMatch, registration, type Service, type Someone, startService } from '../support/service.ts'

const refused = { statusCode: 429 }
const tooMany = { type: '/problems/too-many-cases', status: 429 }

/** Starts the service with a limit of `most`, and registers so many cases by an account that reads none of them. */
async function begin(t: Parameters<typeof startService>[0], { most, cases }: { most: number; cases: number }) {
  const service = await startService(t)
  await service.owner`update thresholds set value = ${most} where threshold = 'cases_opened_a_day'`
  const [asel, ruslan, dina] = await Promise.all([
    service.as('caseworker', 'sunrise'),
    service.as('caseworker', 'sunrise', 1),
    service.as('supervisor', 'sunrise'),
  ])
  const ids: string[] = []
  for (let n = 0; n < cases; n++) {
    const made = await ruslan.post('/v1/cases', registration(), idempotencyKey())
    ids.push(made.json().id)
  }
  return { ...service, asel, ruslan, dina, ids }
}

const outcomes = async ({ superuser }: Service, outcome: string) =>
  superuser`select account_id, operation, case_ids from entries where outcome = ${outcome} order by id`

t.test(
  'an account that has opened as many cases as it may is refused others, and its supervisors are told',
  async t => {
    const service = await begin(t, { most: 2, cases: 4 })
    const { asel, ruslan, dina, ids, superuser } = service
    const [one = '', other = '', third = '', fourth = ''] = ids
    const read = (who: Someone, id: string) => who.get(`/v1/cases/${id}`)
    for (const id of [one, one, other, one]) t.equal((await read(asel, id)).statusCode, 200)
    const answer = await read(asel, third)
    t.match(answer, refused)
    t.match(answer.json(), tooMany)
    t.notMatch(answer.body, 'Әбдіғали')
    const seconds = Number(answer.headers['retry-after'])
    const [day] = await superuser`
    select extract(epoch from (app.today() + 1)::timestamp at time zone 'Asia/Almaty' - now()) as left`
    t.ok(Math.abs(seconds - Number(day?.left)) < 60, `until the next day: ${seconds}`)
    t.match(await read(asel, fourth), refused)
    t.match(await read(asel, one), { statusCode: 200 }, 'what was opened today stays open')
    t.same(
      (await outcomes(service, 'too-many-cases')).map(({ account_id, operation, case_ids }) => [
        account_id,
        operation,
        ...case_ids,
      ]),
      [
        [asel.account, 'getCase', third],
        [asel.account, 'getCase', fourth],
      ],
    )
    t.match(await read(ruslan, third), { statusCode: 200 }, 'another account has its own count')

    const tasks = async (who: Someone) => (await who.get('/v1/tasks?kind=ask_about_openings')).json().items
    t.same(await tasks(asel), [], 'only supervisors see the task')
    const [task, ...more] = await tasks(dina)
    t.same(more, [], 'one task a day')
    t.match(task, {
      accountId: asel.account,
      caseId: null,
      title: null,
      assigneeId: null,
      createdBy: null,
      allowedActions: ['edit', 'complete'],
    })
    const complete = (who: Someone) => who.post(`/v1/tasks/${task.id}/completion`, undefined, ifMatch(1))
    t.equal((await asel.get(`/v1/tasks/${task.id}`)).statusCode, 404)
    t.equal((await complete(asel)).statusCode, 404)
    t.match(await inSql(service)(asel, `select app.complete_task('${task.id}', 1)`), 'QJ001 not-found')
    t.match((await complete(dina)).json(), { doneBy: dina.account })
    await read(asel, third)
    t.equal((await tasks(dina)).length, 1, 'a task that is done is not set again on that day')

    await service.travel(1)
    t.match(await read(asel, third), { statusCode: 200 }, 'the next day')
    t.match(await read(asel, one), { statusCode: 200 })
    t.match(await read(asel, other), refused)
    t.equal((await tasks(dina)).length, 2)
    const kept = await superuser`select case_id from opened_cases where account_id = ${asel.account}`
    t.same(new Set(kept.map(({ case_id }) => case_id)), new Set([one, third]), 'the cases of earlier days are not kept')
  },
)

t.test('every way to a zone counts, and lists and registrations do not', async t => {
  const service = await begin(t, { most: 1, cases: 3 })
  const { asel, dina, ids, owner } = service
  const [one = '', other = ''] = ids
  const version = async () => Number((await owner`select version from cases where id = ${other}`)[0]?.version)
  const ways: Record<string, (who: Someone, id: string) => PromiseLike<{ statusCode: number }>> = {
    case: (who, id) => who.get(`/v1/cases/${id}`),
    zone: (who, id) => who.get(`/v1/cases/${id}/person/identity`),
    versions: (who, id) => who.get(`/v1/cases/${id}/person/identity/versions`),
    'new version': (who, id) => who.put(`/v1/cases/${id}/person/contact`, { phones: ['+77010000000'] }, ifMatch(0)),
    decisions: (who, id) => who.get(`/v1/cases/${id}/decisions`),
    documents: (who, id) => who.get(`/v1/cases/${id}/documents`),
    step: async (who, id) =>
      who.post(
        `/v1/cases/${id}/transitions`,
        { action: 'start_assessment', occurredOn: '2021-03-08' },
        { ...idempotencyKey(), ...ifMatch(await version()) },
      ),
    assignment: async (who, id) => who.patch(`/v1/cases/${id}`, { assigneeId: who.account }, ifMatch(await version())),
  }
  const forget = () => owner`delete from openings`.then(() => owner`delete from opened_cases`)
  for (const [way, open] of Object.entries(ways)) {
    const who = way === 'assignment' ? dina : asel
    await forget()
    t.equal((await who.get(`/v1/cases/${one}`)).statusCode, 200)
    const before = await version()
    t.match(await open(who, other), refused, way)
    t.equal(await version(), before, `${way}: nothing was written`)
    await forget()
    t.ok((await open(who, other)).statusCode < 300, `${way}: the first one`)
    t.equal((await who.get(`/v1/cases/${one}`)).statusCode, 429, `${way} was counted`)
  }
  t.equal((await asel.get('/v1/cases')).json().items.length, 3)
  t.equal((await asel.post('/v1/cases/search', { names: ['Әбдіғали'] })).json().items.length, 3)
  t.equal((await asel.get(`/v1/cases/${one}/events`)).statusCode, 200)
  t.equal((await asel.get(`/v1/cases/${one}/grants`)).statusCode, 200)
  t.equal((await asel.post('/v1/cases', registration('Сағынбай'), idempotencyKey())).statusCode, 201)
})

t.test('a repeated registration opens no case', async t => {
  const { asel, ids } = await begin(t, { most: 1, cases: 2 })
  const [one = '', other = ''] = ids
  const key = idempotencyKey()
  const body = registration('Сағынбай')
  const made = await asel.post('/v1/cases', body, key)
  t.match(await asel.post('/v1/cases', body, key), { statusCode: 201, body: made.body }, 'the reply was lost')
  t.match(await asel.get(`/v1/cases/${one}`), { statusCode: 200 })
  t.match(await asel.post('/v1/cases', body, key), { statusCode: 201 }, 'repeated when all are used up')
  t.match(await asel.get(`/v1/cases/${other}`), refused)
})

t.test('a case that an authority accepts or decides counts too', async t => {
  const service = await startService(t)
  const { as, owner } = service
  const [asel, bolat] = [await as('caseworker', 'sunrise'), await as('officer', 'almaty-city')]
  const own = await register(bolat)
  await own.read(bolat)
  const one = await assessed(asel)
  await owner`update thresholds set value = 1 where threshold = 'cases_opened_a_day'`
  const referral = await offered(one, asel, bolat.organisation, { kind: 'submission', grant: submittedWith })
  const { id } = referral
  const decide = () => bolat.post(`/v1/referrals/${id}/decision`, { decision: 'accept' }, ifMatch(1))
  t.match((await decide()).json(), tooMany)
  t.match((await bolat.get(`/v1/referrals/${id}`)).json(), { state: 'offered' }, 'nothing was written')
  await owner`update thresholds set value = 2 where threshold = 'cases_opened_a_day'`
  t.equal((await decide()).statusCode, 200)
})

t.test('parallel requests do not open more than the limit', async t => {
  const { asel, ids } = await begin(t, { most: 3, cases: 12 })
  const answers = await Promise.all(
    [...ids, ...ids].map(async id => ({ id, status: (await asel.get(`/v1/cases/${id}`)).statusCode })),
  )
  const opened = new Set(answers.filter(({ status }) => status === 200).map(({ id }) => id))
  t.equal(opened.size, 3)
  t.ok(answers.every(({ status }) => status === 200 || status === 429))
})
