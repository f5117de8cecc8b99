// The stored figures equal those that follow from the events, whatever happened to the cases.

import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import postgres, { type TransactionSql } from 'postgres'
import t from 'tap'
import { register } from '../../support/procedure.ts'
import { idempotencyKey, startService } from '../../support/service.ts'
import { astray, dimensions } from './by-events.ts'

const campaign = '00000000-0000-7000-8000-00000000000c'
const day = (n: number) => new Date(Date.UTC(2021, 2, 4) + n * 86_400_000).toISOString().slice(0, 10)
/** Each step comes on record half a day after the one before. */
const instant = (n: number) => new Date(Date.UTC(2021, 8, 1) + n * 43_200_000).toISOString()

const Step = fc.record({
  on: fc.nat(5),
  what: fc.constantFrom(
    'amend',
    'amend',
    'decide',
    'reopen',
    'record_document',
    'annul',
    'note',
    'person',
    'grant',
    'grant',
    'revoke',
    'revoke',
  ),
  later: fc.nat(6),
  region: fc.constantFrom('KZ-75', 'KZ-61', undefined),
  category: fc.constantFrom('no_document', 'lost_document', undefined),
  outcome: fc.constantFrom('refused', 'kz_citizenship_confirmed'),
  sex: fc.constantFrom('male', 'female', null),
  year: fc.constantFrom(1960, 1961, null),
  which: fc.nat(),
  together: fc.boolean(),
})
type Step = ReturnType<typeof Step.generate>['value']
type Event = { id: string; case_id: string; occurred_on: string; annuls?: string | undefined }

t.test('the stored figures of a case equal a fold of its events, at any two times', { timeout: 170_000 }, async t => {
  const { superuser: sql, as, organisation } = await startService(t)
  const [asel, nurlan] = [await as('caseworker', 'sunrise'), await as('officer', 'turkistan')]
  const readers = [null, asel.organisation.id, nurlan.organisation.id, organisation('committee').id]
  await sql`insert into campaigns (id, organisation_id, name, starts_on) values (${campaign}, ${nurlan.organisation.id}, 'C', '2020-10-01')`
  // Only the triggers that store the figures and the access rows run.
  await sql`alter table case_events disable trigger user, drop constraint case_events_entry`
  await sql`alter table case_events enable trigger then_6_keep_figures`
  await sql`alter table zone_versions disable trigger check_version`

  await sql`update thresholds set value = 1 where threshold = 'smallest_group'` // so that small histories are told

  let [number, minute] = [0, 0]
  const id = () => `00000000-0000-7000-8000-${String(++number).padStart(12, '0')}`
  /** Writes a random history, statement by statement; several events of one case may share a statement. */
  const replay = async (steps: readonly Step[], owners: readonly boolean[]) => {
    const cases = owners.map(own => ({ id: id(), who: own ? asel : nurlan, events: [] as Event[], persons: 0 }))
    const unwritten: object[] = []
    const write = async () => {
      const rows = JSON.stringify(unwritten.splice(0))
      await sql`insert into case_events select * from jsonb_populate_recordset(null::case_events, ${rows}::text::jsonb) order by id`
    }
    const happens = (
      { id: case_id, who, events }: (typeof cases)[number],
      action: string,
      later: number,
      facts: object,
      annuls?: string,
    ) => {
      const counting = events.filter(event => !event.annuls && !events.some(({ annuls }) => annuls === event.id))
      const last =
        counting
          .map(event => event.occurred_on)
          .sort()
          .at(-1) ?? day(0)
      const occurred_on = day((Date.parse(last) - Date.parse(day(0))) / 86_400_000 + later)
      const event = { id: id(), case_id, occurred_on, annuls }
      events.push(event)
      const states = { from_state: events.length === 1 ? '' : 'open', to_state: 'open' }
      const who_ = { organisation_id: who.organisation.id, account_id: who.account }
      unwritten.push({ ...event, ...states, ...who_, action, recorded_at: instant(++minute), facts })
    }
    for (const one of cases) {
      await sql`insert into cases (id, number, campaign_id, category, causes, region_code, owner_id, state, registered_on, updated_at)
        values (${one.id}, ${one.id}, ${campaign}, 'x', '{}', 'KZ-75', ${one.who.organisation.id}, 'open', '2021-03-04', now())`
      happens(one, 'register', 0, { campaign, region: 'KZ-75', category: 'no_document' })
    }
    for (const { on, what, later, region, category, outcome, sex, year, which, together } of steps) {
      const one = cases[on % cases.length]
      if (!one) continue
      const { id: case_id, who, events } = one
      if (what === 'amend') happens(one, what, later, { region, category })
      else if (what === 'decide') happens(one, what, later, { outcome })
      else if (what === 'reopen') happens(one, what, later, { outcome: null })
      else if (what === 'record_document' || what === 'note') happens(one, what, later, {})
      else if (what === 'annul') {
        const may = events.slice(1).filter(e => !e.annuls && !events.some(({ annuls }) => annuls === e.id))
        const annulled = may[which % may.length]
        if (annulled) happens(one, what, later, {}, annulled.id)
      } else {
        await write()
        if (what === 'person')
          await sql`insert into zone_versions (case_id, zone, version, content, sex, birth_year, written_at, written_by)
            values (${case_id}, 'identity', ${++one.persons}, '{}', ${sex}, ${year}, ${instant(++minute)}, ${who.account})`
        if (what === 'grant')
          await sql`insert into grants (case_id, owner_id, giver_id, recipient_id, purpose, zones, basis, opened_at, valid_until, given_by)
            values (${case_id}, ${who.organisation.id}, ${who.organisation.id}, ${readers[1 + (which % 3)] ?? null}, 'legal_aid', ${sex ? ['identity'] : ['contact']}, 'consent',
              now() - interval '1 hour', now() + make_interval(hours => ${later - 2}), ${who.account})`
        if (what === 'revoke')
          await sql`update grants set closed_at = now(), closed_reason = 'revoked' where id = (
            select id from grants where case_id = ${case_id} and closed_at is null order by id limit 1)`
      }
      if (!together) await write()
    }
    await write()
  }

  /** Returns what may be told of the groups at the first instants of the months until the latest step. */
  const told = (until: number) => sql`
    select d.dimension, i.instant, g.* from unnest(${dimensions}::text[]) d(dimension),
      generate_series(timestamp '2021-09-01', ${instant(until)}::timestamp, '1 month') m(begins),
      lateral (select m.begins at time zone 'Asia/Almaty' as instant) i,
      app.told_groups(${campaign}, '2021-04-30', i.instant, d.dimension, 'recorded') g order by 1, 2, 3`
  let [compared, groups] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      fc.array(Step, { minLength: 5, maxLength: 60 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
      fc.array(fc.tuple(fc.nat(60), fc.nat(80)), { minLength: 6, maxLength: 6 }),
      async (steps, owners, times) => {
        const begun = minute
        const before = JSON.stringify(await told(begun))
        await replay(steps, owners)
        const again = await told(begun)
        if (JSON.stringify(again) !== before) throw new Error('what was told of a campaign changed afterwards')
        groups += again.length
        for (const [at, ago] of times)
          for (const reader of readers) {
            const view = { campaign, asOf: day(at), knownAt: instant(Math.max(minute - ago, begun)), reader }
            const [differs] = await astray(sql, view)
            if (differs) throw new Error(`${JSON.stringify(view)}: ${JSON.stringify(differs)}`)
            compared++
          }
      },
    ),
    { numRuns: 40, endOnFailure: true },
  )
  t.ok(groups > 100, `${groups} groups of the whole campaign stayed the same`)
  const [rows] = await sql`select count(*)::int as rows, count(distinct case_id)::int as cases from case_figures`
  t.ok(rows?.rows > 1.5 * rows?.cases, `${rows?.cases} cases in ${rows?.rows} rows, compared ${compared} times`)
  t.same(
    [
      ...(await sql`select f::text from ((table figures_on_record except all table case_figures) union all (table case_figures except all table figures_on_record)) f`),
    ],
    [],
    'the rows stored step by step equal those that a migration would write',
  )
})

t.test('two concurrent writers on one case keep the changes of both', async t => {
  const { superuser: sql, as, endpoint } = await startService(t)
  const [head, nurlan] = [await as('supervisor', 'committee'), await as('officer', 'turkistan')]
  const { id: campaignId } = (
    await head.post('/v1/campaigns', { name: 'Campaign', startsOn: '2020-10-01' }, idempotencyKey())
  ).json()
  const { id } = await register(nurlan, { campaignId })
  await sql`alter table case_events disable trigger check_event, drop constraint case_events_entry`
  const other = postgres({ ...endpoint('postgres'), max: 1 })
  t.teardown(() => other.end())
  const written = await other.begin(async first => {
    await first`insert into case_events (id, case_id, action, from_state, to_state, occurred_on, recorded_at, organisation_id, account_id, facts)
      values (uuidv7(), ${id}, 'amend', 'registered', 'registered', '2021-03-05', now(), ${nurlan.organisation.id}, ${nurlan.account}, '{"region":"KZ-61"}')`
    const second = sql`insert into zone_versions (case_id, zone, version, content, sex, written_by)
      values (${id}, 'identity', 2, '{}', 'other', ${nurlan.account})`.execute()
    await waiting(first)
    return [second]
  })
  await Promise.all(written)
  t.same(
    [...(await sql`select region, sex from case_figures where until_on = 'infinity' and until_at = 'infinity'`)],
    [{ region: 'KZ-61', sex: 'other' }],
  )
})

/** Waits until another transaction is blocked by this one. */
async function waiting(sql: TransactionSql) {
  for (;;) {
    const [row] =
      await sql`select count(*)::int as blocked from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid))`
    if (row?.blocked) return
    await setTimeout(10)
  }
}
