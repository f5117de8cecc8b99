// No two answers about a whole campaign, and no hundred of them, show what one person is.
import fc from 'fast-check'
import t from 'tap'
import { startService } from '../../support/service.ts'
import { answers, type Figure, type Person, type Rule, toldOf } from './told.ts'

const campaign = '00000000-0000-7000-8000-00000000000c'
const months = 5
const Fact = fc.record({ on: fc.integer({ min: 1, max: 2 }), late: fc.nat(4).map(n => (n ? 0 : 1)) })
const World = (owners: readonly string[], values: readonly string[], most: number) =>
  fc.array(
    fc.record({
      owner: fc.constantFrom(...owners),
      value: fc.constantFrom(...values),
      registered: Fact,
      waited: fc.integer({ min: 0, max: 2 }),
      documented: fc.boolean(),
    }),
    { minLength: 5, maxLength: most, size: 'max' },
  )
type World = ReturnType<ReturnType<typeof World>['generate']>['value']
const known = ({ on, late }: { on: number; late: number }) => ({ on, at: on + 1 + late })
const peopleOf = (world: World): Person[] =>
  world.map(({ owner, value, registered, waited, documented }) => ({
    ...{ owner, value, entered: known(registered) },
    ...(documented && { documented: known({ on: registered.on + waited, late: registered.late }) }),
  }))

/** Everything that is told, and who is meant: more than any report shows. */
const everythingTold = (people: readonly Person[], rule: Rule) =>
  JSON.stringify(
    toldOf(people, rule).map(({ people, ...when }) => ({ ...when, values: people.map(({ value }) => value).sort() })),
  )

/**
 * Returns the persons whose value follows from what is told, for an organisation that knows its own persons, and when
 * everybody was registered and documented: those who have one value in all worlds in which the same is told.
 */
function found(people: readonly Person[], values: readonly string[], rule: Rule): number[] {
  const others = [...people.keys()].filter(one => people[one]?.owner !== 'own')
  const truth = everythingTold(people, rule)
  const possible = new Map(others.map(one => [one, new Set<string>()]))
  for (let world = 0; world < values.length ** others.length; world++) {
    const guess = [...people]
    for (const [place, one] of others.entries()) {
      const value = values[Math.floor(world / values.length ** place) % values.length] ?? ''
      guess[one] = { ...(people[one] as Person), value }
    }
    if (everythingTold(guess, rule) === truth) for (const one of others) possible.get(one)?.add(guess[one]?.value ?? '')
  }
  return others.filter(one => possible.get(one)?.size === 1)
}

t.test('who compares everything that is told finds no person', { timeout: 170_000 }, async t => {
  const tells = { registered: 0, documented: 0 }
  for (const { owners, values, most, rule } of [
    { owners: ['a', 'own'], values: ['x', 'y'], most: 10, rule: { least: 1, several: 2 } },
    { owners: ['a'], values: ['x', 'y'], most: 9, rule: { least: 1, several: 2 } },
    { owners: ['a', 'b', 'c', 'own'], values: ['x', 'y'], most: 10, rule: { least: 2, several: 2 } },
    { owners: ['a', 'b', 'own'], values: ['x', 'y', 'z'], most: 7, rule: { least: 1, several: 2 } },
  ])
    fc.assert(
      fc.property(World(owners, values, most), world => {
        const people = peopleOf(world)
        for (const { measure } of toldOf(people, rule)) tells[measure]++
        const [one] = found(people, values, rule)
        if (one !== undefined) throw new Error(`${JSON.stringify(people[one])} is found in ${JSON.stringify(people)}`)
      }),
      { numRuns: 200, endOnFailure: true },
    )
  t.ok(tells.registered > 50 && tells.documented > 10, JSON.stringify(tells))
})

t.test('without the rule, who compares months finds a person', async t => {
  const people = peopleOf([
    { owner: 'a', value: 'x', registered: { on: 1, late: 0 }, waited: 0, documented: false },
    { owner: 'a', value: 'y', registered: { on: 1, late: 0 }, waited: 0, documented: false },
    { owner: 'a', value: 'x', registered: { on: 2, late: 0 }, waited: 0, documented: false },
  ])
  t.same(found(people, ['x', 'y'], { least: 0, several: 2 }), [2])
  t.same(found(people, ['x', 'y'], { least: 1, several: 2 }), [])
})

t.test('the database tells what the rule says, and the same again after what is recorded later', async t => {
  const { superuser: sql, as } = await startService(t)
  const head = await as('supervisor', 'committee')
  const offices = ['committee', 'turkistan', 'sunrise', 'iom']
  const ids = new Map<string, string>()
  for (const name of offices) ids.set(name, (await as('supervisor', name)).organisation.id)
  await sql`insert into campaigns (id, organisation_id, name, starts_on) values (${campaign}, ${head.organisation.id}, 'C', '2020-10-01')`
  await sql`select set_config('app.org', ${head.organisation.id}, false)`
  await sql`set session_replication_role = replica`
  const day = (month: number) => new Date(Date.UTC(2020, 8 + month, 17)).toISOString().slice(0, 10)
  const instant = (month: number) => new Date(Date.UTC(2020, 8 + month, 20)).toISOString()
  /** Some persons are corrected later, or lose their document: rows as triggers write them. */
  const write = async (world: readonly (World[number] & { later: number })[]) => {
    const people = peopleOf([...world])
    const rows = people.flatMap(({ owner, value, entered, documented }, n) => {
      const later = world[n]?.later
      const row = {
        ...{ case_id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`, campaign_id: campaign },
        ...{ owner_id: ids.get(owner), month: 'm', region: 'KZ-75', category: value, sex: 'male' },
        ...{ from_on: day(entered.on), until_on: 'infinity', until_at: 'infinity', from_at: instant(entered.at - 1) },
        ...(documented && { documented_on: day(documented.on), documented_at: instant(documented.at - 1) }),
      }
      if (!later) return [row]
      const at = instant(months)
      return [
        { ...row, until_at: at },
        { ...row, from_at: at, until_on: day(months) },
        {
          ...row,
          from_at: at,
          from_on: day(months),
          category: later === 1 ? 'x' : 'y',
          documented_on: null,
          documented_at: null,
        },
      ]
    })
    await sql`delete from case_figures`
    await sql`insert into case_figures select * from jsonb_populate_recordset(null::case_figures, ${JSON.stringify(rows)}::text::jsonb)`
    return people
  }
  const reported = async () => {
    const all = new Map<string, Figure[]>()
    const rows = await sql<(Figure & { on: number; at: number })[]>`
      select o.month as on, a.month as at, f.key, f.registered, f.documented
      from generate_series(1, ${months - 1}::int) o(month), generate_series(1, ${months}::int) a(month),
        app.campaign_figures(${campaign}, (date '2020-10-01' + make_interval(months => o.month))::date - 1,
          (date '2020-09-01' + make_interval(months => a.month))::timestamp at time zone 'Asia/Almaty', 'campaign', 'category', 'recorded') f
      where f.key is not null order by f.key = 'other', f.key`
    for (const { on, at, ...figure } of rows) all.set(`${on} ${at}`, [...(all.get(`${on} ${at}`) ?? []), figure])
    return all
  }
  const Later = World(offices, ['x', 'x', 'y', 'z'], 45).map(world =>
    world.map((one, n) => ({ ...one, later: n % 7 > 4 ? (n % 2) + 1 : 0 })),
  )
  let named = 0
  for (const rule of [
    { least: 1, several: 2 },
    { least: 2, several: 2 },
    { least: 5, several: 2 },
  ]) {
    await sql`update thresholds set value = ${rule.least} where threshold = 'smallest_group'`
    await fc.assert(
      fc.asyncProperty(Later, async world => {
        const people = await write(world.map(one => ({ ...one, later: 0 })))
        const first = await reported()
        // A committee and its divisions know each other's persons.
        const houses = people.map(one => ({ ...one, owner: one.owner === 'turkistan' ? 'committee' : one.owner }))
        const expected = answers(houses, months, rule)
        for (const [when, groups] of expected) {
          const [on] = when.split(' ')
          if (Number(on) >= months) continue
          if (JSON.stringify(groups) !== JSON.stringify(first.get(when) ?? []))
            throw new Error(`${when}: ${JSON.stringify(first.get(when))} instead of ${JSON.stringify(groups)}`)
          named += groups.filter(({ key }) => key !== 'other').length
        }
        await write(world)
        const again = await reported()
        if (JSON.stringify([...again]) !== JSON.stringify([...first]))
          throw new Error('other figures after a correction')
      }),
      { numRuns: 5, endOnFailure: true },
    )
  }
  t.ok(named > 100, `${named} groups were named`)
})
