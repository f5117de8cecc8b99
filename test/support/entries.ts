import type { FastifyInstance } from 'fastify'
import type postgres from 'postgres'
import type { Test } from 'tap'

type Answered = { id: string; operation: string; status: number; ids: Set<string>; zones: string[]; unread: boolean }

const uuids = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g

/**
 * Returns a function that watches an app. At the end of the test, throws unless each audited request has exactly one audit entry,
 * which lists each case and each zone in the reply. `alone`: no other app uses the database, so each entry must belong to a watched request.
 */
export function everyRequestHasItsEntry(t: Pick<Test, 'teardown'>, superuser: postgres.Sql, { alone = true } = {}) {
  const answered: Answered[] = []
  const watch = (app: FastifyInstance) =>
    app.addHook('onSend', async (request, reply, payload) => {
      const { audit = 'nothing', permission } = request.routeOptions.config
      const { statusCode: status } = reply
      const limited = status === 429 && !String(payload).includes('/problems/too-many-cases')
      const audited = !limited && status !== 503 && (request.claims || permission === 'public')
      if (audit === 'nothing' || !audited) return payload
      const operation = request.routeOptions.schema?.operationId ?? ''
      // An auditor's list of entries contains case ids without opening these cases.
      const text = status < 300 && operation !== 'listAuditEntries' && typeof payload === 'string' ? payload : ''
      // A value that was read but did not open has an entry with the outcome done.
      const unread = String(payload).includes('/problems/unreadable')
      const [, person = ''] = /"person":\{(.*)/s.exec(text) ?? []
      const zones = ['identity', 'contact', 'whereabouts', 'protection'].filter(zone => person.includes(`"${zone}":{`))
      answered.push({ id: request.id, operation, status, ids: new Set(text.match(uuids)), zones, unread })
      return payload
    })
  t.teardown(async () => {
    const entries = await superuser`
      select convert_from(content, 'UTF8')::jsonb ->> 'request' as request,
        coalesce(convert_from(content, 'UTF8')::jsonb -> 'zones', '[]') as zones, case_ids, outcome from entries`
    const cases = new Set((await superuser`select id from cases`).map(({ id }) => id))
    const byRequest = Map.groupBy(entries, ({ request }) => request)
    const wrong = answered.flatMap(({ id, operation, status, ids, zones, unread }) => {
      const [entry, ...more] = byRequest.get(id) ?? []
      const about = `${operation} ${status}`
      if (!entry || more.length) return [`${about} has ${entry ? more.length + 1 : 'no'} entries`]
      if (!unread && (entry.outcome === 'done') !== status < 400) return [`${about} has the outcome ${entry.outcome}`]
      const unnamed = zones.filter(zone => !entry.zones.includes(zone))
      if (unnamed.length) return [`${about} showed ${unnamed}, which its entry lacks: it was not counted as opened`]
      return [...ids]
        .filter(shown => cases.has(shown) && !entry.case_ids.includes(shown))
        .map(shown => `${about} showed ${shown}, which its entry lacks`)
    })
    const watched = new Set(answered.map(({ id }) => id))
    const strangers = [...byRequest.keys()].filter(id => id !== null && !watched.has(id))
    if (alone) wrong.push(...strangers.map(id => `there was no request for the entry of ${id}`))
    if (wrong.length) throw new Error(`${wrong.length} faults of the audit log: ${wrong.slice(0, 10).join('; ')}`)
  })
  return watch
}
