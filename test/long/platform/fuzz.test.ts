// Requests made from openapi.yaml, half of them wrong: none gets a 5xx, and no reply is against the document. The generator and
// the checker read the document and nothing of src. SEED=… repeats a run.
import fc from 'fast-check'
import t from 'tap'
import { findings } from '../../../src/oversight/audit/holds.ts'
import { startService } from '../../support/service.ts'
import { scaled, unhurried, whileMoving } from '../length.ts'
import { faultsOf, type Reply } from './checker.ts'
import { operations, readingOf } from './document.ts'
import { type Draw, drawing } from './draw.ts'
import { canary } from './hostile.ts'
import { Pools } from './pools.ts'
import { populate } from './populate.ts'
import { build, chosen, type Sent } from './requests.ts'
import { bytesOf, exchanged } from './wire.ts'

const requests = scaled(2_000)
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

t.setTimeout(0)

t.test(`${requests} requests by the document`, unhurried, t =>
  whileMoving(async moved => {
    const service = await startService(t)
    const { app, endpoint, superuser, lines } = service
    const pools = new Pools(service)
    for (const someone of await populate(service)) await pools.signIn(someone)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as { port: number }

    /** The faults by kind, each with how often it was seen and the first request. */
    const faults = new Map<string, { times: number; first: string }>()
    const counts: Record<string, number> = {}
    const reached = new Set<string>()
    const refused = new Map<string, string>()
    let sentSoFar = 0

    const inject = async ({ method, url, headers, body }: Sent): Promise<Reply> => {
      const reply = await app.inject({
        method: method as 'GET',
        url,
        headers,
        ...(body !== undefined && { payload: body }),
      })
      return { status: reply.statusCode, headers: reply.headers as Reply['headers'], body: reply.body }
    }
    /** What the service has logged of an internal error. */
    const traceOf = (reply: Reply | undefined) => {
      const id = reply?.headers['x-request-id']
      return reply && reply.status >= 500 ? `\n${lines.filter(line => line.includes(`"${id}"`)).join('')}` : ''
    }
    const note = (sent: Sent, reply: Reply | undefined, wrong: string[]) => {
      const { method, url, headers, body, person } = sent
      const { authorization: _, ...rest } = headers
      const shown = [method, url.slice(0, 300), JSON.stringify(rest).slice(0, 300), String(body).slice(0, 600)].join(
        ' ',
      )
      const first = `request ${sentSoFar} by ${person?.account.email}: ${shown}\n→ ${reply?.status} ${reply?.body.slice(0, 500)}${traceOf(reply)}`
      const kind = `${sent.operation?.id ?? 'no operation'}: ${wrong.join('; ')}`
      const { times, first: before } = faults.get(kind) ?? { times: 0, first }
      faults.set(kind, { times: times + 1, first: before })
    }
    /** Sends a request, checks its reply, and keeps what it tells. */
    const send = async (sent: Sent): Promise<Reply> => {
      const { operation, person, url } = sent
      sentSoFar++
      if (person && ++person.sent > 200) await pools.signIn(person.account, person)
      const reply = await inject(sent)
      count(sent, reply)
      const wrong = faultsOf(sent, reply)
      if (wrong.length) note(sent, reply, wrong)
      if (operation && reply.status < 300 && sent.method !== 'HEAD') {
        reached.add(operation.id)
        const json = reply.headers['content-type']?.startsWith('application/json') ? JSON.parse(reply.body) : undefined
        pools.learn(operation, url, person, json, reply.headers.etag)
      } else if (operation && !reached.has(operation.id))
        refused.set(operation.id, `${reply.status} ${reply.body.slice(0, 300)}`)
      await revived(sent, reply)
      return reply
    }
    const count = ({ method }: Sent, { status }: Reply) => {
      counts[status] = (counts[status] ?? 0) + 1
      counts[method] = (counts[method] ?? 0) + 1
    }
    /** Signs in again whoever has signed out, or has lost the session. */
    const revived = async ({ operation, person }: Sent, { status }: Reply) => {
      const ended = /^signOut|^changePassword/.test(operation?.id ?? '') && status < 300
      if (person && (ended || status === 401)) await pools.signIn(person.account, person)
    }
    /** Sends a request over a connection, at times with what no client sends. */
    const overTheWire = async (draw: Draw, sent: Sent) => {
      sentSoFar++
      const { bytes, known } = bytesOf(draw, sent, draw.chance(0.6))
      const reply = await exchanged(port, bytes)
      counts.wire = (counts.wire ?? 0) + 1
      if (!reply) return note(sent, reply, ['no reply'])
      count(sent, reply)
      const wrong = faultsOf(sent, reply, known ? 'sent' : 'odd')
      if (wrong.length) note({ ...sent, body: bytes.toString('latin1').slice(0, 600) }, reply, wrong)
      await revived(sent, reply)
    }
    /** Reads what a request will change, for its If-Match. */
    const read = async (draw: Draw, sent: Sent) => {
      const { operation, url, person } = sent
      const reading = operation && readingOf(operation)
      const path = url.split('?')[0]?.toLowerCase() ?? ''
      const at = reading?.path === operation?.path ? path : path.replace(/\/[\w-]+$/, '')
      if (reading) {
        const asked = build(draw, pools, reading, person, true)
        const { status } = await send({ ...asked, url: at })
        if (status === 404 && at.includes('/person/')) return '"0"'
      }
      return pools.tags.get(at) ?? '"1"'
    }
    const step = async (draw: Draw) => {
      const { operation, person, careful } = chosen(draw, pools, reached)
      const sent = build(draw, pools, operation, person, careful)
      if (sent.headers['if-match'] === '"1"' && draw.chance(0.85)) sent.headers['if-match'] = await read(draw, sent)
      if (draw.chance(0.1)) await overTheWire(draw, sent)
      else await send(sent)
    }

    for (const list of operations.filter(({ path, method }) => method === 'GET' && !path.includes('{')))
      for (const person of pools.people.filter(({ permissions }) => permissions.includes(list.permission ?? '')))
        await fc.assert(
          fc.asyncProperty(fc.gen(), async generate => {
            const { url, ...asked } = build(drawing(generate), pools, list, person, true)
            await send({ ...asked, url: url.includes('campaignId') ? url : list.path })
          }),
          { numRuns: 1, seed },
        )
    await fc.assert(
      fc.asyncProperty(fc.gen(), async generate => {
        moved(() => ({ seed, sentSoFar }))
        await step(drawing(generate))
      }),
      { seed, numRuns: requests, unbiased: true, endOnFailure: true },
    )

    t.comment(`seed ${seed}, ${sentSoFar} requests`, JSON.stringify(counts))
    const missing = operations.filter(({ id }) => !reached.has(id)).map(({ id }) => id)
    t.comment(`${reached.size} of ${operations.length} operations reached with a 2xx`)
    for (const id of missing) t.comment(`not reached: ${id}: ${refused.get(id)}`)
    t.equal(faults.size, 0, `no reply is a 5xx or against the document (seed ${seed})`)
    for (const [kind, { times, first }] of faults) t.comment(`${times} × ${kind}`, first)
    t.ok(
      reached.size > operations.length * 0.85,
      'most operations succeed, so that the fuzz is not only about refusals',
    )
    t.same(lines.filter(line => line.includes(canary)).slice(0, 3), [], 'the log has no text of a caller')
    const [{ told } = { told: -1 }] = await superuser`
      select count(*)::int as told from entries where convert_from(content, 'UTF8') like ${`%${canary}%`}`
    t.equal(told, 0, 'the audit log has no text of a caller')
    t.same(await findings(endpoint('owner')), [], 'no findings')
  }),
)
