// Groups of a whole campaign have times at the turn of months: which times are taken, and which are refused.
import t from 'tap'
import { offices } from '../../../src/platform/access/permissions.ts'
import { enterSession } from '../../../src/platform/db/admission.ts'
import { sql as drizzle } from '../../../src/platform/db/drizzle.ts'
import { register } from '../../support/procedure.ts'
import { idempotencyKey, startService } from '../../support/service.ts'

t.test('groups of a whole campaign have times at the turn of months, everything else any times', async t => {
  const { as, db, superuser } = await startService(t)
  const [head, nurlan] = [await as('supervisor', 'committee'), await as('officer', 'turkistan')]
  const { id: campaignId } = (
    await head.post('/v1/campaigns', { name: 'Campaign', startsOn: '2020-10-01' }, idempotencyKey())
  ).json()
  for (const regionCode of [...Array(7).fill('KZ-75'), ...Array(6).fill('KZ-11')])
    await register(nurlan, { campaignId, regionCode })
  const url = `/v1/reports/campaign-progress?campaignId=${campaignId}`
  const groups = `${url}&scope=campaign&groupBy=region`
  const [now] = await superuser`
    select (date_trunc('month', app.today()::timestamp))::date - 1 as "monthEnd", app.today()::text as today,
      ((date_trunc('month', app.today()::timestamp) + interval '1 month')::date - 1)::text as "nextEnd",
      app.rfc3339(date_trunc('month', app.now() at time zone 'Asia/Almaty') at time zone 'Asia/Almaty') as "monthBegin"`
  const monthEnd = now?.monthEnd.toISOString().slice(0, 10)

  t.match(
    (await head.get(groups)).json(),
    { asOf: monthEnd, knownAt: now?.monthBegin, totals: { registered: 0 } },
    'defaults',
  )
  t.match((await head.get(`${url}&scope=campaign`)).json(), {
    asOf: now?.today,
    totals: { registered: 13 },
    groups: [],
  })
  await superuser`update case_figures set from_at = '2024-01-10'`
  t.match((await head.get(groups)).json(), {
    totals: { registered: 13 },
    groups: [{ key: 'KZ-75', registered: 5 }, { key: 'other' }],
  })
  const csv = (await head.send('GET')(groups, undefined, { accept: 'text/csv' })).body
  t.match(csv, `\nKZ-75,Almaty City,5,0,0,${monthEnd},${now?.monthBegin},campaign,recorded\n`)

  const [end, begin] = ['asOf=2024-01-31', 'knownAt=2024-01-31T18:00:00Z']
  t.match((await head.get(`${groups}&${end}&${begin}`)).json(), { asOf: '2024-01-31', totals: { registered: 13 } })
  t.equal((await head.get(`${groups}&asOf=2024-02-29&knownAt=2024-02-01T00:00:00%2B06:00`)).statusCode, 200)
  for (const [times, pointer, detail] of [
    ['asOf=2024-02-15', 'asOf', 'Groups with scope=campaign need the last day of a month: 2024-01-31 or 2024-02-29'],
    ['asOf=2024-02-28', 'asOf', 'Groups with scope=campaign need the last day of a month: 2024-01-31 or 2024-02-29'],
    [
      `asOf=${now?.nextEnd}`,
      'asOf',
      `Groups with scope=campaign need the last day of a month that is over: ${monthEnd}, or ${now?.nextEnd} from the day after`,
    ],
    [
      'knownAt=2024-01-15T10:00:00Z',
      'knownAt',
      'Groups with scope=campaign need the first instant of a month: 2023-12-31T18:00:00.000Z or 2024-01-31T18:00:00.000Z',
    ],
    [
      'knownAt=2024-01-31T18:00:00.0001Z',
      'knownAt',
      'Groups with scope=campaign need the first instant of a month: 2024-01-31T18:00:00.000Z or 2024-02-29T19:00:00.000Z',
    ],
  ] as const) {
    for (const accept of ['application/json', 'text/csv']) {
      const refused = await head.send('GET')(`${groups}&${times}`, undefined, { accept })
      t.equal(refused.statusCode, 400, times)
      t.same(refused.json().errors, [{ pointer: `#/query/${pointer}`, detail }])
    }
    if (!times.includes(String(now?.nextEnd)))
      t.equal((await head.get(`${url}&scope=campaign&${times}`)).statusCode, 200)
    t.equal((await nurlan.get(`${url}&groupBy=region&${times}`)).statusCode, 200, 'scope=mine')
  }
  const inSql = (asOf: string) =>
    db.transact(enterSession(head.session, offices), tx =>
      tx.execute(
        drizzle`select from app.campaign_figures(${campaignId}, ${asOf}, '2024-01-31T18:00:00Z', 'campaign', 'sex', 'recorded')`,
      ),
    )
  await t.rejects(inSql('2024-01-30'), { message: 'invalid-request' }, 'in SQL too')
  await t.resolves(inSql('2024-01-31'))
  t.equal((await head.get(`${groups}&knownAt=2999-01-01T00:00:00Z`)).statusCode, 409, 'not settled yet')
})

t.test('an erasure takes back the groups of sex and age that the person was told in', async t => {
  const { as, superuser } = await startService(t)
  const [head, nurlan] = [await as('supervisor', 'committee'), await as('officer', 'turkistan')]
  const { id: campaignId } = (
    await head.post('/v1/campaigns', { name: 'Campaign', startsOn: '2020-10-01' }, idempotencyKey())
  ).json()
  for (let n = 0; n < 16; n++) await register(nurlan, { campaignId })
  await superuser`update case_figures f set from_at = '2024-01-10', identity_at = '2024-01-10', sex = s.sex, region = s.region
    from (select case_id, (array['male', 'female'])[1 + row_number() over () % 2] as sex, (array['KZ-75', 'KZ-11'])[1 + row_number() over () % 2] as region
      from case_figures) s where s.case_id = f.case_id`
  const keys = async (groupBy: string) => {
    const { groups } = (
      await head.get(`/v1/reports/campaign-progress?campaignId=${campaignId}&scope=campaign&groupBy=${groupBy}`)
    ).json()
    return groups.map(({ key }: { key: string }) => key)
  }
  t.same(await keys('sex'), ['female', 'male', 'other'])
  await superuser`update case_figures set sex = null, birth_year = null where case_id = (select min(case_id::text)::uuid from case_figures)`
  t.same(await keys('sex'), ['other'])
  t.same(await keys('region'), ['KZ-11', 'KZ-75', 'other'])
})
