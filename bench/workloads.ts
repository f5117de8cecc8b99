import { randomUUID } from 'node:crypto'
import type autocannon from 'autocannon'
import { Connection } from '../src/platform/db/connection.ts'
import { Client } from '../src/programs/demo/client.ts'
import { insertAgain, listNewest, makeBareTables, selectOne } from './ceilings.ts'
import { type Measured, measureAsk, measureRequest } from './measure.ts'
import { type Organisation, type Person, workerOf } from './organisations.ts'
import type { Service } from './service.ts'

export type Row = Measured & { workload: string; ceiling?: Measured; budget?: number }

/** Yields all measurements, each after the ceiling that it is compared with. */
export async function* workloads(
  service: Service,
  dataDir: string,
  seconds: number,
  organisations: readonly Organisation[],
): AsyncGenerator<Row> {
  const superuser = service.cluster.endpoint('postgres')
  const as = (kind: 'ngo' | 'division' | 'committee') => workerOf(dataDir, kind, organisations)
  const [ngo, division, committee] = [as('ngo'), as('division'), as('committee')]
  const signIn = (person: Person) => Client.signIn(service.address, person)
  const caseworker = await signIn(ngo)
  const recipient = organisations.find(({ kind }) => kind === 'iom')?.id ?? ''
  const made = await caseworker.post<{ id: string }>('/v1/cases', registration(caseworker, recipient))
  await makeBareTables(superuser)

  const ids = await Connection.with(superuser, ({ send }) =>
    send('select id from cases where owner_id = $1', [ngo.organisation.id]),
  ).then(rows => rows.map(({ id }) => id as string))
  const ask = (ask: Parameters<typeof measureAsk>[3]) => measureAsk(service, superuser, seconds, ask)
  const request = (client: Client, options: Omit<autocannon.Options, 'url'>) =>
    measureRequest(service, seconds, client.token, options)

  const select = await ask(selectOne(ids))
  yield { workload: 'bare select of one case', ...select }
  const anyCase = { path: () => `/v1/cases/${ids[Math.floor(Math.random() * ids.length)]}` }
  const reading = { requests: [{ setupRequest: (r: autocannon.Request) => ({ ...r, path: anyCase.path() }) }] }
  yield { workload: 'read one case, as NGO', ...(await request(caseworker, reading)), ceiling: select, budget: 0.25 }

  const bare = await ask(listNewest(ngo.organisation.id, 'assessment'))
  yield { workload: 'bare list of 50 of an owner', ...bare }
  for (const [person, state] of [
    [ngo, 'assessment'],
    [division, 'verification'],
    [committee, 'documented'],
  ] as const) {
    const client = await signIn(person)
    const list = (query: string) => request(client, { requests: [{ path: `/v1/cases${query}` }] })
    const who = `as ${person.organisation.kind}`
    yield { workload: `list 50 ${state}, ${who}`, ...(await list(`?state=${state}`)), ceiling: bare, budget: 0.4 }
    yield { workload: `list 50 of all, ${who}`, ...(await list('')), ceiling: bare, budget: 0.4 }
  }

  const insert = await ask(await insertAgain(superuser, made.id))
  yield { workload: 'bare inserts of a registration', ...insert }
  const registering: Omit<autocannon.Options, 'url'> = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    requests: [
      {
        path: '/v1/cases',
        setupRequest: r => ({
          ...r,
          headers: { ...r.headers, 'idempotency-key': randomUUID() },
          body: JSON.stringify(registration(caseworker, recipient)),
        }),
      },
    ],
  }
  yield {
    workload: 'register a case with a grant, as NGO',
    ...(await request(caseworker, registering)),
    ceiling: insert,
    budget: 0.7,
  }
}

/** Returns a registration with a unique name and a telephone, with a grant to another organisation. */
function registration(client: Client, to: string) {
  const { person, ...given } = client.registration()
  const [name] = person.identity.names
  const family = randomUUID()
  return {
    ...given,
    grants: [{ to, purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-11-24', basis: given.basis }],
    person: { identity: { ...person.identity, names: [{ ...name, family }] }, contact: { phones: ['+77010000000'] } },
  }
}
