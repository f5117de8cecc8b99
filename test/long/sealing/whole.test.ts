// Runs the service with the demo's campaign and a client that fills every field. Then no name may be readable in anything a
// thief could get: the database, its disk, its log, the log of the service, the metrics, and a file waiting for its import.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { registrations } from '../../../src/programs/demo/campaign.ts'
import { plant, plantWork } from '../../casefile/planting.ts'
import { accountsOf, folder, freePort, pidOf, postmaster, run, signIn, start } from '../../programs/start/program.ts'
import { because } from '../../support/erasing.ts'
import { file } from '../../support/imports.ts'
import { consent, following, offered } from '../../support/procedure.ts'
import { type Headers, idempotencyKey, ifMatch, registration, type Someone } from '../../support/service.ts'
import { readByThief, readInFiles } from '../../support/stolen.ts'
import { unhurried } from '../length.ts'
import { superuserOf } from '../programs/kill.ts'

/** The beginning of every canary, and a text that is stored in clear. */
const [canary, inClear] = ['48101230', 'asel@sunrise.example']

/** Signs in an account of the demonstration through REST, with the interface of the other tests. */
async function client(address: string, account: ReturnType<typeof accountsOf>[number]): Promise<Someone> {
  const { accessToken } = (await (await signIn(address, account)).json()) as { accessToken: string }
  const send =
    (method: string) =>
    async (path: string, body?: object | string, headers: Headers = {}) => {
      const response = await fetch(address + path, {
        method,
        headers: {
          authorization: `Bearer ${accessToken}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return { statusCode: response.status, body: text, json: () => JSON.parse(text) }
    }
  const [get, post, put] = ['GET', 'POST', 'PUT'].map(send)
  return { ...account, accessToken, get, post, put } as never
}

t.setTimeout(0)

t.test('a thief can read no name anywhere', unhurried, async t => {
  const dataDir = join(folder(), 'data')
  const METRICS_PORT = await freePort()
  const service = await start(dataDir, { environment: { METRICS_PORT } })
  const { address } = service
  const accounts = accountsOf(dataDir)
  const as = (name: string) => client(address, accounts.find(({ email }) => email.startsWith(`${name}@`)) as never)
  const [asel, dina, bolat, aliya] = [await as('asel'), await as('dina'), await as('bolat'), await as('aliya')]
  const { port } = new URL(address)
  const demo = await run('src/programs/demo.ts', { DATA_DIR: dataDir, PORT: port }, ['--size', '600', '--once']).ended
  t.equal(demo.code, 0, demo.err)
  const people = [...registrations({ seed: 1, size: 600 })].slice(0, 5)

  const { person, word, iin } = plant()
  const canaryText = () => word('owner')
  const ok = async (reply: Promise<{ statusCode: number; body: string; json(): { id: string } }>) => {
    const { statusCode, body, json } = await reply
    if (statusCode >= 300) throw new Error(body)
    return json()
  }
  const basis = { ...consent, method: 'oral_with_witness', witness: canaryText(), interpreter: canaryText() }
  const { id } = await ok(
    asel.post('/v1/cases', { ...registration(), externalId: canaryText(), basis, person }, idempotencyKey()),
  )
  const one = following(id)
  await plantWork(asel, id, word)
  await one.step(asel, { action: 'start_assessment' })
  const zones = ['identity', 'contact']
  const grant = { purpose: 'status_determination', zones, validUntil: '2031-11-23', basis }
  const offer = { kind: 'submission', grant, message: canaryText() }
  const referral = await offered(one, asel, bolat.organisation, offer)
  t.equal((await referral.decide(bolat, 'decline', { reason: 'incomplete', note: canaryText() })).statusCode, 200)
  await (await offered(one, asel, bolat.organisation, offer)).decide(bolat, 'accept')
  const evidence = [canaryText()]
  await one.propose(bolat, {
    ...{
      action: 'decide',
      outcome: 'kz_citizenship_confirmed',
      legalReference: 'order_607',
      reasons: canaryText(),
      evidence,
    },
  })
  await asel.post('/v1/cases/search', { names: [person.identity.names[0]?.family], iin: iin() })
  // Refused requests are logged too.
  for (const bad of [{ person }, `{"person": "${canaryText()}"`, { ...registration(), [canaryText()]: canaryText() }])
    t.equal((await asel.post('/v1/cases', bad, idempotencyKey())).statusCode, 400)
  t.equal((await asel.get(`/v1/cases?cursor=${encodeURIComponent(canaryText())}`)).statusCode, 400)
  const gone = following((await ok(asel.post('/v1/cases', { ...registration(), person }, idempotencyKey()))).id)
  await gone.step(asel, { action: 'start_assessment' })
  await gone.step(asel, { action: 'withdraw', note: canaryText() })
  const erasure = await ok(asel.post(`/v1/cases/${gone.id}/erasures`, { ...because, reason: canaryText() }))
  await ok(dina.post(`/v1/erasures/${erasure.id}/approval`, undefined, ifMatch(1)))

  // A file waits: the service is killed in the middle of its import.
  const rows = [...registrations({ seed: 9, size: 20_000 })].map(row => ({
    ...row,
    externalId: randomUUID(),
    familyName: canaryText(),
    givenName: canaryText(),
    patronymic: canaryText(),
    formerDocumentNumber: row.formerDocumentNumber && canaryText(),
    documentNumber: row.documentNumber && canaryText(),
  }))
  const upload = await fetch(`${address}/v1/imports`, {
    ...{ method: 'POST', body: Readable.toWeb(Readable.from(file(rows))), duplex: 'half' },
    headers: { 'content-type': 'text/csv', authorization: `Bearer ${aliya.accessToken}` },
  } as RequestInit)
  t.equal(upload.status, 202)
  const metrics = await (await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)).text()
  service.child.kill('SIGKILL')
  await service.ended

  const words = [
    canary,
    ...people.flatMap(row => [row.externalId, row.documentNumber, row.formerDocumentNumber].filter(n => n.length > 6)),
  ]
  const names = people.map(({ familyName, givenName }) => `${familyName} ${givenName}`)
  const sql = await superuserOf(dataDir)
  const [waiting] = await sql`select count(*)::int as n from import_chunks`
  t.ok(waiting?.n, 'a file waits')
  t.same(await readByThief(sql, [...words, ...names]), [], 'no table contains a name')
  t.ok((await readByThief(sql, [inClear])).length, 'a text in clear is found')
  await sql.end()
  process.kill(pidOf(dataDir), 'SIGQUIT')
  while (existsSync(postmaster(dataDir))) await wait(20)
  t.same(readInFiles(dataDir, [...words, ...names]), [], 'no file contains a name, nor does the log of PostgreSQL')
  t.ok(readInFiles(dataDir, [inClear]).length)

  const log = service.output.out + service.output.err
  t.match(log, /"route":"\/v1\/cases\/:id\/erasures"/)
  t.match(metrics, /http_request/)
  for (const [where, text] of Object.entries({ log, metrics, demo: demo.out + demo.err }))
    t.same(
      [...words, ...names].filter(word => text.includes(word)),
      [],
      where,
    )
})
