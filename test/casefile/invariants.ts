import { fold, type Model } from '../long/casefile/reference-model.ts'
import type { Service } from '../support/service.ts'

/** Throws if an invariant of a case is violated: state, facts, order of events, decision, documents or access rows. */
export async function check(sql: Service['superuser'], c: Model) {
  const fail = (what: string) => Promise.reject(new Error(what))
  const [row] =
    await sql`select c.*, c.due_on::text as due, o.short_name as handler from cases c left join organisations o on o.id = c.handler_id where c.id = ${c.id}`
  const events = await sql`select * from valid_events where case_id = ${c.id} order by id`
  const { state, outcome, region, handler } = fold(c)
  const expected = JSON.stringify({ state, outcome, region, handler, version: c.version })
  const actual = JSON.stringify({
    state: row?.state,
    outcome: row?.outcome,
    region: row?.region_code,
    handler: row?.handler,
    version: row?.version,
  })
  if (expected !== actual) await fail(`${actual} instead of ${expected}`)
  const facts = Object.assign({}, ...events.map(event => event.facts))
  const replayed = [facts.outcome ?? null, facts.region, facts.category, facts.dueOn ?? null]
  const written = [row?.outcome, row?.region_code, row?.category, row?.due]
  if (JSON.stringify(replayed) !== JSON.stringify(written)) await fail(`the row ${written} is not the fold ${replayed}`)
  if (events.some((event, i) => i > 0 && event.occurred_on < events[i - 1]?.occurred_on))
    await fail('an event is dated before the one before it')
  const current =
    await sql`select d.*, p.proposed_by, p.settled_by from decisions d join case_events e on e.id = d.event_id
    join proposals p on p.id = e.proposal_id where d.case_id = ${c.id} and not d.annulled order by d.event_id desc limit 1`
  if (['decided', 'documentation', 'documented'].includes(state)) {
    if (current.length !== 1 || current[0]?.outcome !== outcome)
      await fail('the decided case does not have its decision')
    if (current[0]?.proposed_by === current[0]?.settled_by)
      await fail('the same account proposed and confirmed the decision')
  }
  const documents = await sql`select from documents where case_id = ${c.id} and not annulled`
  if (state === 'documented' && !documents.length) await fail('the documented case has no document')
  const kept = await sql`
    (select organisation_id, case_id, until, identity_until, contact_until, whereabouts_until, protection_until from case_access where case_id = ${c.id})
    except select recipient_id, case_id, max(valid_until),
      coalesce(max(valid_until) filter (where 'identity' = any (zones)), '-infinity'), coalesce(max(valid_until) filter (where 'contact' = any (zones)), '-infinity'),
      coalesce(max(valid_until) filter (where 'whereabouts' = any (zones)), '-infinity'), coalesce(max(valid_until) filter (where 'protection' = any (zones)), '-infinity')
    from grants where case_id = ${c.id} and closed_at is null and opened_at is not null and suspended_for = '{}' group by 1, 2`
  const [counts] = await sql`select (select count(*) from case_access where case_id = ${c.id}) as kept,
    (select count(distinct recipient_id) from grants where case_id = ${c.id} and closed_at is null) as given,
    (select count(*) from case_access a where a.case_id = ${c.id} and a.state <> ${state}) as astray`
  if (kept.length || counts?.kept !== counts?.given || counts?.astray !== '0')
    await fail('the access rows differ from the grants')
}
