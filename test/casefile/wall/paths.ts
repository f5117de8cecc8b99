import type postgres from 'postgres'
import {
  all,
  type Case,
  counts,
  hears,
  isTold,
  knows,
  type Org,
  over,
  reaches,
  zonesOf,
} from '../../long/wall/reference-model.ts'
import type { Someone } from '../../support/service.ts'
import { noteText } from './typing.ts'

/** What a path returned, and what the model expects. */
export type Reading = { path: string; read: unknown; expected: unknown }
/** `zone`: the zone that is read on its own path; all zones are read with the case. */
type World = { day: number; campaign: string; zone: string; shortOf: (id: string) => Org }

const ids = ({ items }: { items: { id: string }[] }) => items.map(({ id }) => id).sort()

/** Reads a case on every path, as a supervisor of the organisation. */
export async function read(who: Someone, org: Org, c: Case, world: World): Promise<Reading[]> {
  const { day, zone, shortOf } = world
  const sees = reaches(c, org, day)
  const zones = zonesOf(c, org, day)
  const identified = zones.includes('identity')
  const versions = zone === 'identity' ? 1 + c.corrections : 1
  const get = async (path: string, make: (json: never) => unknown, expected: unknown): Promise<Reading> => {
    const response = await who.get(path)
    return { path, read: response.statusCode === 200 ? make(response.json() as never) : response.statusCode, expected }
  }
  const under = (path: string, make: (json: never) => unknown, expected: unknown, open = sees) =>
    get(`/v1/cases/${c.id}${path}`, make, open ? expected : 404)
  const has = (path: string, expected: boolean) => get(path, json => ids(json).includes(c.id), expected)
  const search = async (criteria: object, expected: boolean): Promise<Reading> => {
    const response = await who.post('/v1/cases/search', criteria)
    return { path: `search ${Object.keys(criteria)}`, read: ids(response.json()).includes(c.id), expected }
  }
  const party = (of: { id: string } | null) => of && shortOf(of.id)
  return Promise.all([
    under(
      '',
      ({ owner, handler, state, person, withheld }: Shown) => [
        party(owner),
        party(handler),
        state,
        Object.keys(person).sort(),
        [...withheld].sort(),
      ],
      [c.owner, c.handler, c.state, c.erased ? [] : zones, all.filter(zone => !zones.includes(zone))],
    ),
    under(`/person/${zone}`, ({ version }: Shown) => version, versions, zones.includes(zone)),
    under(`/person/${zone}/versions`, ({ items }: Shown) => items.length, versions, zones.includes(zone)),
    has('/v1/cases?limit=200', sees),
    has(`/v1/cases?limit=200&state=${c.state}&region=KZ-75`, sees),
    has('/v1/cases?limit=200&updatedSince=2020-01-01T00:00:00Z', sees),
    has(`/v1/reports/campaign-progress/cases?campaignId=${world.campaign}&limit=200`, counts(c, org, day)),
    search({ number: c.number }, sees),
    search({ names: [c.family] }, identified && !c.erased),
    under('/events', ({ items }: Shown) => items.length > 0, true),
    under('/decisions', ({ items }: Shown) => items.length, 0, identified),
    under('/documents', ({ items }: Shown) => items.length, 0, identified),
    under('/relations', ({ items }: Shown) => items.length, 0),
    under('/grants', ({ items }: Shown) => items.length, c.grants.filter(grant => knows(c, grant, org, day)).length),
    under('/referrals', ids, idsOf(c.referrals.filter(referral => isTold(c, referral, org, day)))),
    under('/notes', ids, idsOf(c.notes.filter(({ of, audience }) => of === org || audience === 'case'))),
    ...c.notes
      .slice(-1)
      .map(note =>
        get(
          `/v1/notes/${note.id}`,
          ({ text }: Shown) => text,
          note.of === org || (sees && note.audience === 'case') ? (note.erased ? null : noteText) : 404,
        ),
      ),
    // The system sets tasks for the owner after a correction.
    under('/tasks', ({ items }: Shown) => items.filter(({ kind }) => kind === 'by_hand').length, 0),
    under('/flags', ({ items }: Shown) => items.length, 0),
    under('/access-log?limit=1', ({ items }: Shown) => items.length, 1, sees && org === c.owner),
    ...c.grants
      .slice(-2)
      .flatMap(grant =>
        grant.id
          ? [get(`/v1/grants/${grant.id}`, ({ caseId }: Shown) => caseId, knows(c, grant, org, day) ? c.id : 404)]
          : [],
      ),
    ...c.referrals
      .slice(-2)
      .map(referral =>
        get(
          `/v1/referrals/${referral.id}`,
          ({ state, caseId }: Shown) => [state, caseId],
          hears(c, referral, org, day)
            ? [over(referral, day) ? 'expired' : referral.state, isTold(c, referral, org, day) ? c.id : null]
            : 404,
        ),
      ),
  ])
}
type Shown = {
  owner: { id: string }
  handler: { id: string } | null
  state: string
  person: object
  withheld: string[]
  version: number
  caseId: string | null
  text: string | null
  items: { id: string; kind?: string }[]
}

const idsOf = (list: readonly { id?: string }[]) => list.map(({ id }) => id ?? '').sort()

/** The same in SQL, where only the policies apply. */
export async function readInSql(
  superuser: postgres.Sql,
  who: Someone,
  org: Org,
  c: Case,
  day: number,
): Promise<Reading> {
  const sees = reaches(c, org, day)
  const zones = zonesOf(c, org, day)
  const identified = zones.includes('identity')
  const [row] = await superuser.begin(async sql => {
    const { account, organisation, role } = who
    await sql`select app.act_as(${JSON.stringify({ account, organisation: organisation.id, kind: organisation.kind, roles: [role] })}::text::jsonb)`
    await sql.unsafe('set local role app')
    return sql`select (select state from cases where id = ${c.id}) as state,
      array(select distinct zone::text from zone_versions where case_id = ${c.id} order by 1) as zones,
      exists (select from identifiers where case_id = ${c.id}) as identified,
      exists (select from case_events where case_id = ${c.id}) as events,
      exists (select from case_access where case_id = ${c.id}) as access, exists (select from open_grants where case_id = ${c.id}) as open,
      (select count(*)::int from notes where case_id = ${c.id}) as notes,
      (select count(*)::int from grants where case_id = ${c.id}) as grants,
      (select count(*)::int from referrals where id = any (${c.referrals.map(({ id }) => id)})) as referrals,
      (select count(*)::int from app.referrals_of(${c.id})) as linked`
  })
  return {
    path: 'SQL',
    read: { ...row },
    expected: {
      state: sees ? c.state : null,
      zones,
      identified: identified && !c.erased,
      events: sees,
      access: sees,
      open: sees,
      notes: c.notes.filter(({ of, audience }) => of === org || (sees && audience === 'case')).length,
      grants: c.grants.filter(grant => knows(c, grant, org, day)).length,
      referrals: c.referrals.filter(referral => hears(c, referral, org, day)).length,
      linked: c.referrals.filter(referral => isTold(c, referral, org, day)).length,
    },
  }
}
