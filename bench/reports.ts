import { Dimension } from '../src/campaigns/reports/campaign-progress.ts'
import { Scope } from '../src/campaigns/reports/contract.ts'
import { Connection, type Endpoint } from '../src/platform/db/connection.ts'
import { Client } from '../src/programs/demo/client.ts'
import { readDemonstration } from '../src/programs/demonstration-accounts.ts'
import type { Service } from './service.ts'

const budgets = new Map([
  [100_000, 150],
  [1_000_000, 1_000],
])
const asOf = '2022-12-31'
const campaign = '00000000-0000-7000-8000-00000000000c'
const entry = '00000000-0000-7000-8000-00000000000e' // one audit entry for everything that is loaded; never read

/** The column of the bare table for each grouping of the report. */
const bare: Record<Dimension, string> = {
  region: 'region',
  outcome: 'outcome',
  category: 'category',
  sex: 'sex',
  ageGroup: 'birth_year',
  month: 'month',
  division: 'owner_id',
}

/** Measures a report on a campaign of so many cases, for a committee that sees them all, compared with the bare count. */
export async function measureReports(service: Service, dataDir: string, cases: number): Promise<void> {
  const superuser = service.cluster.endpoint('postgres')
  const head = readDemonstration(dataDir)?.find(
    ({ organisation, role }) => organisation.kind === 'committee' && role === 'supervisor',
  )
  if (!head) throw new Error('the committee has no supervisor')
  for (const count of [...budgets.keys()].filter(count => count <= cases)) {
    const begun = performance.now()
    await load(superuser, count)
    console.log(`${count} cases of one campaign after ${((performance.now() - begun) / 1000).toFixed(1)} s`)
    const client = await Client.signIn(service.address, head)
    const rows: [string, object][] = []
    for (const groupBy of Dimension.options) {
      const ceiling = await Connection.with(superuser, ({ send }) =>
        median(() =>
          send(`select ${bare[groupBy]}, count(*), count(*) filter (where documented) from bare.figures group by 1`),
        ),
      )
      for (const scope of Scope.options) {
        const query = new URLSearchParams({ campaignId: campaign, asOf, scope, groupBy })
        const ms = await median(() => client.get(`/v1/reports/campaign-progress?${query}`))
        // Groups of a whole campaign are computed from its beginning.
        const budget = (budgets.get(count) ?? 0) * (scope === 'campaign' ? 10 : 1)
        if (ms > budget) process.exitCode = 1
        rows.push([
          `${count}, ${scope}, by ${groupBy}`,
          { ms: Math.round(ms), budget, 'bare ms': Math.round(ceiling), ratio: Number((ms / ceiling).toFixed(2)) },
        ])
      }
    }
    console.table(Object.fromEntries(rows))
  }
}

/** Returns the median of seven runs in milliseconds. */
async function median(ask: () => PromiseLike<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < 8; i++) {
    const begun = performance.now()
    await ask()
    if (i) times.push(performance.now() - begun) // the first run warms up
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0
}

/**
 * Inserts the missing cases of a campaign: 12 regions, 7 outcomes, 83 % documented, 2 % with a corrected region, owned by
 * divisions and NGOs. Fills the tables for the figures as the migration does.
 */
const load = (superuser: Endpoint, count: number) =>
  Connection.with(superuser, async connection => {
    const [had] = await connection.send('select count(*)::int as cases from cases')
    await connection.script(`
      set session_replication_role = replica; -- neither triggers nor foreign keys
      set maintenance_work_mem = '512MB';
      insert into campaigns (id, organisation_id, name, starts_on)
        select '${campaign}', id, 'Bench', '2020-10-01' from organisations where kind = 'committee' on conflict do nothing;
      create temp table person as
        with owners as (select array_agg(id order by kind = 'ngo', id) as id from organisations where kind in ('division', 'ngo')),
          reader as (select id from organisations where kind = 'committee'),
          said as (
            select array(select code from regions where lower_inf(valid) order by code limit 12) as regions,
              array(select code from codes where list = 'category' order by position) as categories,
              array(select code from codes where list = 'outcome' order by position limit 7) as outcomes)
        select uuidv7() as id, n, date '2020-10-01' + n % 500 as day, o.id[1 + n % cardinality(o.id)] as owner, r.id as committee,
          s.regions[1 + n * 7 % 12] as region, s.categories[1 + n * 5 % cardinality(s.categories)] as category, s.outcomes[1 + n * 3 % 7] as outcome,
          (array['female', 'male', 'female', 'male', 'unknown'])[1 + n * 11 % 5] as sex, 1940 + n * 13 % 80 as birth_year,
          n % 100 < 83 as documented, n % 50 = 7 as corrected
        from owners o, reader r, said s, generate_series(${had?.cases} + 1, ${count}) n;
      insert into case_events (id, case_id, action, from_state, to_state, occurred_on, recorded_at, organisation_id, account_id, facts, entry_id)
        select uuidv7(), p.id, e.action, e.before, e.after, p.day + e.later, p.day + e.later + time '12:00', p.owner, p.owner, e.facts, '${entry}'
        from person p, lateral (values
          (1, 'register', '', 'registered', 0, jsonb_build_object('campaign', '${campaign}', 'region', p.region, 'category', p.category)),
          (2, 'amend', 'registered', 'registered', 1, case when p.corrected then '{"region":"KZ-79"}'::jsonb end),
          (3, 'decide', 'verification', 'decided', 30, jsonb_build_object('outcome', p.outcome)),
          (4, 'record_document', 'documentation', 'documented', 60, case when p.documented then '{}'::jsonb end)
        ) e(place, action, before, after, later, facts)
        where e.facts is not null order by p.n, e.place;
      insert into cases (id, number, campaign_id, category, causes, region_code, owner_id, state, registered_on, updated_at)
        select id, n, '${campaign}', category, '{}', region, owner, 'decided', day, day from person;
      insert into zone_versions (case_id, zone, version, content, sex, birth_year, written_at, written_by)
        select id, 'identity', 1, '{}', sex, birth_year, day + time '12:00', owner from person;
      insert into case_access (organisation_id, case_id, state, until, identity_until, contact_until, whereabouts_until, protection_until, updated_at)
        select o.id, p.id, 'decided', 'infinity', 'infinity', 'infinity', 'infinity', 'infinity', p.day
        from person p, lateral (values (p.owner), (p.committee)) o(id);
      drop table person;
      analyze;
      delete from case_figures;
      delete from readerships;
      insert into case_figures select * from figures_on_record;
      select app.keep_readerships(array(select case_id from case_figures));
      drop schema if exists bare cascade;
      create schema bare;
      create table bare.figures as
        select ${Object.values(bare).join(', ')}, documented_on <= '${asOf}' as documented from case_figures where until_at = 'infinity' and until_on = 'infinity';
    `)
    await connection.script('vacuum analyze case_figures, readerships, bare.figures')
  })
