import { randomUUIDv7 } from 'node:crypto'
import type { Keys } from '../src/platform/access/keys.ts'
import { Connection, type Endpoint, type Send } from '../src/platform/db/connection.ts'
import { type Registration, registrations } from '../src/programs/demo/campaign.ts'
import { Random } from '../src/programs/demo/random.ts'
import { makeOrganisations, type Organisation } from './organisations.ts'
import { rowsOf } from './rows.ts'
import { type Import, ownerOf, type Story, storyOf } from './story.ts'

const batch = 5_000

/** Returns a loader that inserts cases of 40 organisations, the oldest first; `upTo` may be called again with more. */
export async function loader(superuser: Endpoint, keys: Keys, size: number) {
  const people = registrations({ seed: 1, size })
  const random = new Random(2)
  const effects = new Map<string, Record<string, unknown>>()
  let cases = 0
  const { organisations, job, entry } = await Connection.with(superuser, async ({ send }) => {
    const made = await makeOrganisations(send)
    return { organisations: made, job: await makeImport(send, made), entry: await makeEntry(send) }
  })

  const nextStory = ({ value }: IteratorResult<Registration, void>): Story => {
    if (!value) throw new Error('the campaign has no more registrations')
    return storyOf(value, { random, keys, job, line: ++cases, organisations }, ownerOf(random, organisations))
  }

  return {
    organisations,
    /** Inserts cases until there are `count`. */
    upTo: (count: number) =>
      Connection.with(superuser, async connection => {
        await connection.script('set session_replication_role = replica') // neither triggers nor foreign keys
        let inserted: Promise<unknown> = Promise.resolve()
        while (cases < count) {
          const stories = Array.from({ length: Math.min(batch, count - cases) }, () => nextStory(people.next()))
          await inserted // the database works while the next stories are generated
          await learn(connection.send, effects, stories)
          const rows = stories.map(story => rowsOf(story, keys, event => effects.get(alike(event)) ?? {}, entry))
          inserted = connection.atOnce(() => insert(connection.send, rows))
        }
        await inserted
        await connection.script('set session_replication_role = origin')
        await connection.script('vacuum analyze')
        await check(connection)
      }),
  }
}

async function insert(send: Send, stories: readonly Record<string, object[]>[]): Promise<void> {
  for (const table of Object.keys(stories[0] ?? {})) {
    const rows = stories.flatMap(story => story[table] ?? [])
    const columns = [...new Set(rows.flatMap(Object.keys))].join(', ')
    if (rows.length)
      await send(
        `insert into ${table} (${columns}) select ${columns} from jsonb_populate_recordset(null::${table}, $1::text::jsonb)`,
        [JSON.stringify(rows)],
      )
  }
}

type Event = Story['events'][number]
const alike = ({ action, from, day, outcome = '' }: Event) => [action, from, day, outcome].join(' ')

/** Asks the database once for the effects of each group of equal events, without the handler. */
async function learn(send: Send, effects: Map<string, Record<string, unknown>>, stories: readonly Story[]) {
  const events = new Map(stories.flatMap(story => story.events.map(event => [alike(event), event])))
  const rows = await send(
    `select e.alike, app.effects(l, e.facts, e.day, null, e.outcome) - 'handler' as effects
     from jsonb_to_recordset($1::text::jsonb) as e(alike text, action text, "from" text, day date, outcome text, facts jsonb)
     join lifecycle l on l.action = e.action and l.from_state = e."from"`,
    [
      JSON.stringify(
        [...events].filter(([key]) => !effects.has(key)).map(([key, event]) => ({ ...event, alike: key })),
      ),
    ],
  )
  for (const row of rows) effects.set(row.alike, row.effects)
}

/** Inserts the import job of the divisions' cases, by an account of the committee. */
async function makeImport(send: Send, organisations: readonly Organisation[]): Promise<Import> {
  const committee = organisations.find(({ kind }) => kind === 'committee')
  if (!committee) throw new Error('no committee')
  const job = { id: randomUUIDv7(), organisation: committee.id, account: committee.account }
  await send(
    `with job as (insert into jobs (id, kind, account_id, organisation_id, state) values ($1, 'import', $2, $3, 'done') returning id)
     insert into imports (job_id, dry_run) select id, false from job`,
    [job.id, job.account, job.organisation],
  )
  return job
}

/** Inserts one audit entry for everything that is loaded. */
async function makeEntry(send: Send): Promise<string> {
  const [row] = await send(
    `insert into entries (id, at, operation, outcome, case_ids, content) values (uuidv7(), now(), 'bench', 'done', '{}', '') returning id`,
  )
  return row?.id
}

/** Throws unless case_access equals what the grants imply, and a sample of cases equals the fold of their events. */
async function check({ send }: Connection): Promise<void> {
  const [wrong] = await send(`
    with said as (
      select g.recipient_id as organisation_id, g.case_id, c.state, max(g.valid_until) as until, array_agg(distinct z order by z) as zones
      from grants g join cases c on c.id = g.case_id, unnest(g.zones) z
      where g.closed_at is null and g.opened_at is not null group by 1, 2, 3),
    kept as (
      select organisation_id, case_id, state, until, array(select z from unnest(enum_range(null::zone)) z
        where app.zone_until(a, z) > '-infinity' order by z) as zones from case_access a)
    select (select count(*)::int from (table said except table kept) only_said) as said,
      (select count(*)::int from (table kept except table said) only_kept) as kept`)
  const fold = `select md5(string_agg((to_jsonb(c) - 'version')::text, '' order by id)) from cases c where version > 1`
  await send('begin')
  const [before] = await send(fold)
  await send(`select app.fold(array(select id from cases where version > 1 order by number limit 1000))`)
  const [after] = await send(fold)
  await send('rollback')
  if (wrong?.said || wrong?.kept || before?.md5 !== after?.md5)
    throw new Error('the loaded rows differ from what the triggers write')
}
