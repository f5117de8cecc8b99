// Which roles may count which cases, through the service and in SQL.

import t from 'tap'
import { offices, type Role } from '../../../src/platform/access/permissions.ts'
import { enterNobody, enterSession } from '../../../src/platform/db/admission.ts'
import { sql } from '../../../src/platform/db/drizzle.ts'
import { register } from '../../support/procedure.ts'
import { idempotencyKey, type Someone, startService } from '../../support/service.ts'

const url = '/v1/reports/campaign-progress'

t.test('all cases of a campaign are counted for its organiser, for coordinators and for auditors', async t => {
  const { as, db, owner } = await startService(t)
  const people: Record<string, Someone> = {}
  const everybody: [Role, string][] = [
    ...(['caseworker', 'supervisor'] as const).flatMap(role =>
      ['sunrise', 'common-home', 'iom'].map((name): [Role, string] => [role, name]),
    ),
    ...(['officer', 'supervisor'] as const).flatMap(role =>
      ['turkistan', 'almaty-city', 'committee'].map((name): [Role, string] => [role, name]),
    ),
    ['coordinator', 'iom'],
    ['auditor', 'oversight'],
    ['administrator', 'operator'],
  ]
  for (const [role, name] of everybody) people[`${role} ${name}`] = await as(role, name)
  const [head, nurlan, coordinator] = [
    people['supervisor committee'],
    people['officer turkistan'],
    people['coordinator iom'],
  ]
  if (!head || !nurlan || !coordinator) throw new Error('an account is missing')
  const started = async (who: Someone) =>
    (await who.post('/v1/campaigns', { name: 'Campaign', startsOn: '2020-10-01' }, idempotencyKey())).json().id
  const campaigns = { committee: await started(head), iom: await started(coordinator) }
  for (let n = 0; n < 3; n++) await register(nurlan, { campaignId: campaigns.committee })
  const nowhere = crypto.randomUUID()

  /** Whether an account may count all cases of each of the two campaigns. */
  const may: Record<string, [committee: boolean, iom: boolean]> = {
    'officer committee': [true, false],
    'supervisor committee': [true, false],
    'caseworker iom': [false, true],
    'supervisor iom': [false, true],
    'coordinator iom': [true, true],
    'auditor oversight': [true, true],
  }
  const inSql = (who: Someone, campaign: string, scope: string) =>
    db
      .transact(enterSession(who.session, offices), tx =>
        tx.execute(
          sql`select registered from app.campaign_figures(${campaign}, '2025-01-01', now(), ${scope}, null, 'recorded')`,
        ),
      )
      .then(
        rows => rows[0]?.registered,
        error => error.message,
      )
  for (const [name, who] of Object.entries(people)) {
    const works = !['coordinator', 'auditor', 'administrator'].includes(who.role)
    const reads = who.role !== 'administrator'
    for (const [i, campaign] of Object.values(campaigns).entries()) {
      const allowed = may[name]?.[i] ?? false
      const response = await who.get(`${url}?campaignId=${campaign}&scope=campaign`)
      t.equal(response.statusCode, allowed ? 200 : 403, `${name}, campaign ${i}`)
      if (allowed) t.same(response.json().totals.registered, i ? 0 : 3)
      else if (reads) t.match(response.json().detail, /organiser of the campaign, coordinators and auditors/)
      t.equal(await inSql(who, campaign, 'campaign'), allowed ? (i ? 0 : 3) : 'forbidden', `${name}, in SQL`)
    }
    const mine = await who.get(`${url}?campaignId=${campaigns.committee}`)
    t.equal(mine.statusCode, works ? 200 : 403, `${name}, scope=mine`)
    if (works) t.equal(mine.json().totals.registered, /turkistan|committee/.test(name) ? 3 : 0)
    else if (reads) t.equal(mine.json().detail, 'Your role reads scope=campaign only')
    t.equal(
      (await who.get(`${url}/cases?campaignId=${campaigns.committee}`)).statusCode,
      works ? 200 : 403,
      `${name}, cases`,
    )
    t.equal(
      (await who.get(`${url}?campaignId=${nowhere}&scope=campaign`)).statusCode,
      reads ? 404 : 403,
      `${name}, no campaign`,
    )
    const listed = await who.get('/v1/reports')
    t.equal(listed.statusCode, reads ? 200 : 403)
    if (reads)
      t.same(
        listed.json().items[0].scopes,
        [works && 'mine', may[name]?.some(Boolean) && 'campaign'].filter(Boolean),
        `${name}: the scopes that it can ask for`,
      )
  }
  t.match((await head.get('/v1/reports')).json().items, [
    { name: 'campaign-progress', definition: { version: 3 }, maps: ['recorded', 'joined'], groupBy: { length: 7 } },
  ])
  t.equal(
    (await head.get(`${url}/cases?campaignId=${campaigns.committee}&scope=campaign`)).statusCode,
    400,
    'no cases of scope=campaign',
  )

  await owner`update accounts set roles = array['coordinator', 'caseworker'] where id = ${coordinator.account}`
  t.equal(
    (await coordinator.get(`${url}?campaignId=${campaigns.committee}`)).statusCode,
    200,
    'a coordinator who is a caseworker',
  )

  const nobody = (scope: string) =>
    db.transact(enterNobody, tx =>
      tx.execute(
        sql`select registered from app.campaign_figures(${campaigns.committee}, '2025-01-01', now(), ${scope}, null, 'recorded')`,
      ),
    )
  await t.rejects(nobody('campaign'), { message: 'forbidden' })
  t.same(await nobody('mine'), [{ registered: 0 }], 'without an account no case is counted')
})

t.test('the tables and functions behind the figures cannot be read', async t => {
  const { as, db } = await startService(t)
  const auditor = await as('auditor', 'oversight')
  const pooled = sql`app.pooled('region', array[('KZ-75', 1, 1)]::app.figure[])`
  const cases = sql`app.report_cases(${crypto.randomUUID()}, '2025-01-01', now(), true, null, now(), 'sex')`
  for (const from of [
    sql`case_figures`,
    sql`readerships`,
    sql`figures_on_record`,
    sql`case_readerships`,
    pooled,
    cases,
  ])
    await t.rejects(
      db.transact(enterSession(auditor.session, offices), tx => tx.execute(sql`select from ${from}`)),
      { cause: { code: '42501' } },
    )
})

t.test('pooled groups come last with a label, and the thresholds are listed', async t => {
  const { as, superuser } = await startService(t)
  const [head, nurlan] = [await as('supervisor', 'committee'), await as('officer', 'turkistan')]
  const { id: campaignId } = (
    await head.post('/v1/campaigns', { name: 'Campaign', startsOn: '2020-10-01' }, idempotencyKey())
  ).json()
  for (const regionCode of [...Array(7).fill('KZ-75'), ...Array(6).fill('KZ-11'), 'KZ-61', 'KZ-61'])
    await register(nurlan, { campaignId, regionCode })
  await superuser`update case_figures set from_at = '2024-01-10'`
  const { totals, groups } = (await head.get(`${url}?campaignId=${campaignId}&scope=campaign&groupBy=region`)).json()
  t.match(totals, { registered: 15, documented: 0, documentedShare: 0 })
  t.match(groups, [
    { key: 'KZ-11', registered: 5, label: { en: 'Akmola' } },
    { key: 'KZ-75', registered: 5 },
    { key: 'other', registered: 5, label: { en: 'Other', ru: 'Другие', kk: 'Басқалар' } },
  ])
  const thresholds: { threshold: string }[] = (await nurlan.get('/v1/thresholds')).json().items
  t.match(
    thresholds.filter(({ threshold }) => /group/.test(threshold)),
    [
      { threshold: 'pooled_groups', value: 2 },
      { threshold: 'smallest_group', value: 5, verified: false },
    ],
  )
})
