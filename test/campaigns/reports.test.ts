import fc from 'fast-check'
import t from 'tap'
import { decision, document, register } from '../support/procedure.ts'
import { idempotencyKey, intake, type Someone, startService } from '../support/service.ts'

const dimensions = ['region', 'outcome', 'category', 'sex', 'ageGroup', 'month', 'division']
type Life = { who: boolean; sex: string; year: number; region: string; start: number; correct: number; way: number }
const measures = ['registered', 'documented'] as const
type Measure = (typeof measures)[number]
type Group = { key: string; label: { en: string } } & Record<Measure, number>

t.test(
  'a report returns the same figures for the same two times, whatever is recorded later',
  { timeout: 120_000 },
  async t => {
    const { as, superuser } = await startService(t)
    const [head, nurlan, kairat, bolat, aliya] = [
      await as('supervisor', 'committee'),
      await as('officer', 'turkistan'),
      await as('supervisor', 'turkistan'),
      await as('officer', 'almaty-city'),
      await as('officer', 'committee'),
    ]
    const { id: campaignId } = (await head.post('/v1/campaigns', { name: 'Campaign', startsOn: '2020-10-01' })).json()
    const url = '/v1/reports/campaign-progress'
    const report = async (query: Record<string, string>, who: Someone = aliya) =>
      (await who.get(`${url}?${new URLSearchParams({ campaignId, ...query })}`)).json()

    let numbers = 0
    const day = (n: number) => new Date(Date.UTC(2021, 2, 4) + n * 86_400_000).toISOString().slice(0, 10)
    /** Makes a case with a random history: registered, and possibly corrected, documented and annulled. */
    const live = async ({ who, sex, year, region, start, correct, way }: Life) => {
      const owner = who ? nurlan : bolat
      const person = { identity: { names: 'unknown', sex, birth: { precision: 'year', year } } }
      const one = await register(owner, {
        ...intake(),
        campaignId,
        regionCode: region,
        registeredOn: day(start),
        person,
      })
      if (correct)
        await one.step(owner, {
          action: 'amend',
          regionCode: 'KZ-79',
          category: 'lost_document',
          reason: 'x',
          occurredOn: day(start + correct),
        })
      if (!who || !way) return one
      for (const action of ['start_assessment', 'take_up'])
        await one.step(owner, { action, occurredOn: day(start + 9) })
      await one.together(nurlan, kairat, { ...decision, occurredOn: day(start + 10) })
      if (way === 1) return one
      await one.step(owner, { action: 'open_documentation', occurredOn: day(start + 11) })
      const given = await one.together(nurlan, kairat, {
        ...document(`R${numbers++}`),
        iin: undefined,
        issuedOn: day(start + 12),
        occurredOn: day(start + 12),
      })
      if (way === 3)
        await one.together(nurlan, kairat, { action: 'annul', eventId: given.json().event.id, reason: 'x' })
      return one
    }
    const Lives = fc.record({
      who: fc.boolean(),
      sex: fc.constantFrom('male', 'female', 'unknown'),
      year: fc.integer({ min: 1950, max: 2000 }),
      region: fc.constantFrom('KZ-75', 'KZ-61', 'KZ-63'),
      start: fc.nat(40),
      correct: fc.nat(5),
      way: fc.nat(3),
    })
    const cases: Awaited<ReturnType<typeof live>>[] = []
    const maps = ['recorded', 'joined']
    const views: Record<string, string>[] = [
      ...dimensions.flatMap(groupBy => maps.map(map => ({ scope: 'mine', map, groupBy }))),
      ...maps.map(map => ({ scope: 'campaign', map })),
    ]
    const figures = async (asOf: string, knownAt: string) =>
      JSON.stringify(await Promise.all(views.map(view => report({ asOf, knownAt, ...view }, head))))
    const sum = (groups: Group[], of: Measure) => groups.reduce((all, group) => all + group[of], 0)
    /** Counts the cases behind a number, page by page. */
    const behind = async (query: Record<string, string>) => {
      const ids = new Set<string>()
      let cursor: string | null = ''
      for (let pages = 0; cursor !== null && pages < 100; pages++) {
        const page = new URLSearchParams({ campaignId, limit: '7', ...query, ...(cursor && { cursor }) })
        const { items, nextCursor } = (await aliya.get(`${url}/cases?${page}`)).json()
        for (const { id } of items) ids.add(id)
        cursor = nextCursor
      }
      return ids.size
    }

    await fc.assert(
      fc.asyncProperty(fc.array(Lives, { minLength: 1, maxLength: 4 }), fc.nat(60), async (lives, at) => {
        for (const life of lives) cases.push(await live(life))
        const asOf = day(at)
        const { knownAt, totals } = await report({ asOf })
        const before = await figures(asOf, knownAt)
        for (const view of views) {
          const whole = await report({ asOf, knownAt, ...view }, head)
          if (JSON.stringify(whole.totals) !== JSON.stringify(totals))
            throw new Error(`${JSON.stringify(view)}: other totals`)
          if (!view.groupBy) continue
          for (const measure of measures)
            if (sum(whole.groups, measure) !== totals[measure])
              throw new Error(`${JSON.stringify(view)} does not add up`)
          for (const group of whole.groups as Group[])
            for (const measure of measures) {
              const number = await behind({ asOf, knownAt, ...view, group: group.key, measure })
              if (number !== group[measure])
                throw new Error(`${number} cases behind ${group[measure]} ${measure} of ${view.groupBy}`)
            }
        }
        // Recorded later: an earlier day, another sex, another region, an annulment.
        const [some] = cases
        await superuser`insert into zone_versions (case_id, zone, version, content, sex, written_by)
        select case_id, 'identity', max(version) + 1, '{}', 'other', (array_agg(written_by))[1] from zone_versions where case_id = ${some?.id ?? null} group by case_id`
        cases.push(await live({ who: true, sex: 'male', year: 1990, region: 'KZ-61', start: 0, correct: 1, way: 3 }))
        if ((await figures(asOf, knownAt)) !== before) throw new Error('the same two times give other figures')
      }),
      { numRuns: 6, endOnFailure: true },
    )
    t.pass(`${cases.length} histories`)
    t.match(await report({ groupBy: 'division' }), {
      definition: { id: 'campaign-progress', version: 3 },
      groups: [{ label: { en: /Migration Division/ } }, {}],
    })
    t.match(
      (await report({}, bolat)).totals.registered,
      cases.length - (await report({}, nurlan)).totals.registered,
      'each organisation counts the cases that are open to it',
    )
  },
)

t.test('a knownAt after the start of the oldest open transaction is refused', async t => {
  const { as, endpoint, superuser } = await startService(t)
  const [head, aliya] = [await as('supervisor', 'committee'), await as('officer', 'committee')]
  const { id } = (await head.post('/v1/campaigns', { name: 'Campaign', startsOn: '2020-10-01' })).json()
  const ask = async (knownAt?: string) =>
    aliya.get(`/v1/reports/campaign-progress?campaignId=${id}${knownAt ? `&knownAt=${knownAt}` : ''}`)
  const postgres = (await import('postgres')).default
  const other = postgres({ ...endpoint('app'), max: 1 })
  t.teardown(() => other.end())
  await other.begin(async sql => {
    const [row] = await sql`select now() as begun`
    const { knownAt } = (await ask()).json()
    t.ok(new Date(knownAt) <= row?.begun, 'the default knownAt is not after the start of the oldest open transaction')
    t.match((await ask(new Date().toISOString())).json(), { status: 409, type: '/problems/not-settled-yet' })
    t.equal((await ask(knownAt)).statusCode, 200)
  })
  t.equal(
    (await ask(new Date(Date.now() - 1).toISOString())).statusCode,
    200,
    'it is accepted when the transaction has ended',
  )
  t.same([...(await superuser`select count(*)::int from cases`)], [{ count: 0 }])
})

t.test('a report is available as CSV, without formulas', async t => {
  const { as, owner } = await startService(t)
  const [head, nurlan] = [await as('supervisor', 'committee'), await as('officer', 'turkistan')]
  const { id } = (await head.post('/v1/campaigns', { name: 'Campaign', startsOn: '2020-10-01' })).json()
  await nurlan.post('/v1/cases', { ...intake(), campaignId: id }, idempotencyKey())
  await owner`update organisations set name = '=cmd()' where id = ${nurlan.organisation.id}`
  const response = await nurlan.send('GET')(
    `/v1/reports/campaign-progress?campaignId=${id}&groupBy=division&asOf=2022-02-15`,
    undefined,
    { accept: 'text/csv' },
  )
  t.equal(response.headers['content-type'], 'text/csv; charset=utf-8')
  const [header, total, group] = response.body.split('\n')
  t.equal(header, 'key,label,registered,documented,documentedShare,asOf,knownAt,scope,map')
  t.match(total, /^total,Total,1,0,0,2022-02-15,.*,mine,recorded$/)
  t.match(group, /,'=cmd\(\),1,0,0,/)
  t.equal((await nurlan.get(`/v1/reports/campaign-progress?campaignId=${id}&groupBy=shoe`)).statusCode, 400)
})
