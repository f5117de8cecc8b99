// The figures of a whole campaign: nobody can be found in them, even in all of them together.
import fc from 'fast-check'
import t from 'tap'
import { startService } from '../../support/service.ts'
import { derive, least, type Order, type Reported } from './attacker.ts'
import { dimensions } from './by-events.ts'

const campaign = '00000000-0000-7000-8000-00000000000c'
const days = 4
/** The last day of a month, all in one year: an age counts by years. */
const day = (n: number) => new Date(Date.UTC(2021, 2 + n, 0)).toISOString().slice(0, 10)
const knownAt = ['2021-09-30T18:00:00Z', '2021-10-31T18:00:00Z'] // the first instants of months in Almaty
/** Regions that were once part of another region. */
const joined: Record<string, string> = { 'KZ-10': 'KZ-63', 'KZ-33': 'KZ-19' }
const ages = [1960, 1961, 1990, 2010, null]

const Person = fc.record({
  region: fc.constantFrom('KZ-63', 'KZ-63', 'KZ-10', 'KZ-19', 'KZ-33', 'KZ-75'),
  category: fc.constantFrom('no_document', 'no_document', 'no_document', 'lost_document'),
  owner: fc.integer({ min: 1, max: 3 }),
  sex: fc.constantFrom('male', 'female', 'female', 'other', 'unknown'),
  birth_year: fc.constantFrom(...ages),
  outcome: fc.constantFrom('refused', 'kz_citizenship_confirmed'),
  on: fc.nat(days - 1),
  decided: fc.nat(2 * days),
  documented: fc.nat(2 * days),
  late: fc.integer({ min: 0, max: 4 }).map(n => n === 0),
})
type Person = ReturnType<typeof Person.generate>['value']

/** The times of the reports: each day, as known at each instant. */
const times = knownAt.flatMap((_, known) => Array.from({ length: days }, (_, on) => ({ on, known })))
const order: Order = times.flatMap((a, before) =>
  times.flatMap((b, after) =>
    before !== after && a.on <= b.on && a.known <= b.known ? [[before, after] as const] : [],
  ),
)
const countedAt = ({ on, late }: Person, time: { on: number; known: number }) =>
  on <= time.on && (!late || time.known === 1)
const ageGroup = (year: number | null) =>
  year === null ? 'unknown' : year === 2010 ? 'age_0_17' : year === 1990 ? 'age_30_44' : 'age_60'
const keyOf: Record<string, (person: Person, time: { on: number }) => string> = {
  region: ({ region }) => region,
  outcome: ({ outcome, on, decided }, time) => (on + decided <= time.on ? outcome : 'none'),
  category: ({ category }) => category,
  sex: ({ sex }) => sex,
  ageGroup: ({ birth_year }) => ageGroup(birth_year),
  month: ({ on }) => day(on).slice(0, 7),
  division: ({ owner }) => `00000000-0000-7000-8000-00000000000${owner}`,
}

t.test(
  'the reports of a campaign, two or all of them, show no number of one to four persons',
  { timeout: 170_000 },
  async t => {
    const { superuser: sql, as } = await startService(t)
    const head = await as('supervisor', 'committee')
    await sql`insert into campaigns (id, organisation_id, name, starts_on) values (${campaign}, ${head.organisation.id}, 'C', '2020-10-01')`
    await sql`select set_config('app.org', ${head.organisation.id}, false)`
    await sql`set session_replication_role = replica`
    await sql`insert into organisations (id, kind, name, short_name) select ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'ngo', n, n from generate_series(1, 3) n`
    const write = async (people: readonly Person[]) => {
      const rows = people.map((person, n) => ({
        ...{ case_id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`, campaign_id: campaign },
        ...{ owner_id: keyOf.division?.(person, person), month: keyOf.month?.(person, person) },
        ...{ from_on: day(person.on), until_on: 'infinity', until_at: 'infinity' },
        ...{ from_at: person.late ? '2021-10-10' : '2021-09-10', identity_at: '2021-09-10' },
        ...{ decided_on: day(person.on + person.decided), decided_at: '2021-09-10' },
        ...{ documented_on: day(person.on + person.documented), documented_at: '2021-09-10' },
        ...{ region: person.region, category: person.category, outcome: person.outcome },
        ...{ sex: person.sex, birth_year: person.birth_year },
      }))
      await sql`delete from case_figures`
      await sql`insert into case_figures select * from jsonb_populate_recordset(null::case_figures, ${JSON.stringify(rows)}::text::jsonb)`
    }
    const reports = () => sql<Reported[]>`
    select d.dimension, d.map, (k.ordinality - 1) * ${days}::int + o.on_day as time, f.key, f.registered, f.documented
    from (select dimension, 'recorded' as map from unnest(${dimensions}::text[]) dimension union all select 'region', 'joined') d,
      generate_series(0, ${days - 1}::int) o(on_day), unnest(${knownAt}::timestamptz[]) with ordinality k(instant, ordinality),
      app.campaign_figures(${campaign}, (date '2021-03-01' + make_interval(months => o.on_day))::date - 1, k.instant, 'campaign', d.dimension, d.map) f`

    let named = 0
    await fc.assert(
      fc.asyncProperty(fc.array(Person, { maxLength: 120, size: 'max' }), async people => {
        await write(people)
        const reported = (await reports()).map(row => ({ ...row, time: Number(row.time) }))
        for (const dimension of dimensions) {
          const key = keyOf[dimension]
          if (!key) continue
          const family = (key: string) => (dimension === 'region' ? (joined[key] ?? key) : key)
          const truth = times.map(time =>
            people.filter(person => countedAt(person, time)).map(person => ({ person, key: key(person, time) })),
          )
          const documented = (person: Person, time: number) => person.on + person.documented <= (times[time]?.on ?? 0)
          const keys = [...new Set(truth.flat().map(({ key }) => key))]
          const families = new Map(
            [...new Set(keys.map(family))].map(one => [one, keys.filter(key => family(key) === one)]),
          )
          const count = (time: number, measure: string, of: (key: string) => boolean) =>
            (truth[time] ?? []).filter(one => of(one.key) && (measure === 'registered' || documented(one.person, time)))
              .length

          for (const map of dimension === 'region' ? ['recorded', 'joined'] : ['recorded'])
            for (const [time] of times.entries()) {
              const report = reported.filter(row => row.dimension === dimension && row.map === map && row.time === time)
              const groups = report.filter(({ key }) => key !== null)
              const where = `${dimension} ${map} ${time}: ${JSON.stringify(report)}`
              for (const measure of ['registered', 'documented'] as const) {
                const total = groups.reduce((sum, group) => sum + group[measure], 0)
                if (
                  report.find(({ key }) => key === null)?.[measure] !== total ||
                  total !== count(time, measure, () => true)
                )
                  throw new Error(`does not add up: ${where}`)
              }
              const shown = groups.filter(({ key }) => key !== 'other')
              named += shown.length
              if (
                shown.some(
                  ({ registered, documented }) => registered < least || registered % least || documented % least,
                )
              )
                throw new Error(`not a multiple of five: ${where}`)
              const of = (key: string) => (map === 'joined' ? family(key) : key)
              const pooled = [...new Set(keys.map(of))].filter(one => {
                const number = shown.find(({ key }) => key === one)?.registered ?? 0
                return count(time, 'registered', key => of(key) === one) > number
              })
              const other = groups.find(({ key }) => key === 'other')?.registered ?? 0
              if (shown.length && (other < least || pooled.length < 2))
                throw new Error(`too little is pooled: ${where}`)
            }

          if (families.size < 2) continue // the group equals the totals, which are public
          for (const measure of ['registered', 'documented'] as const) {
            const totals = times.map((_, time) => count(time, measure, () => true))
            const bounds = derive(
              reported.filter(row => row.dimension === dimension),
              totals,
              families,
              {
                ...{ measure, order },
                grows: key => !(dimension === 'outcome' && key === 'none'),
              },
            )
            for (const [group, cells] of bounds)
              for (const [time, { low, high }] of cells.entries()) {
                const [map, own] = group.split(' ')
                const really = count(time, measure, key => (map === 'joined' ? family(key) : key) === own)
                if (really < low || really > high)
                  throw new Error(`the bounds ${low} to ${high} do not contain ${really} of ${group}`)
                if (low === high && low > 0 && low < least)
                  throw new Error(`${group} of ${dimension} at ${JSON.stringify(times[time])} has ${low} ${measure}`)
              }
          }
        }
      }),
      { numRuns: 12, endOnFailure: true },
    )
    t.ok(named > 50, `${named} groups were named`)
  },
)
