// Clients of a service that is killed repeatedly: each repeats a request with the same key until it succeeds, and records it.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { AccessToken } from '../../../src/platform/http/tokens.ts'
import type { Demonstration } from '../../../src/programs/demonstration-accounts.ts'
import { signIn } from '../../programs/start/program.ts'
import { consent, submittedWith } from '../../support/procedure.ts'
import { registration } from '../../support/service.ts'

type Answer = { id: string }
type Case = { id: string; actions: string[] }

/** The current address of the service, and what it has acknowledged so far. */
export class Storm {
  address: string
  over = false
  /** The test is over: clients give up instead of repeating. */
  abandoned = false
  /** The key of every acknowledged request, and the request id in its reply. */
  readonly acknowledged: { key: string; request: string }[] = []
  readonly cases: Case[] = []
  readonly notes: string[] = []
  readonly referrals = new Map<string, string>()
  /** Offers that the division has not decided yet. */
  readonly waiting: { one: Case; referral: string }[] = []
  repeated = 0
  /** The last reply that a client repeated its request after, or why there was none. */
  lastRefusal = ''

  constructor(address: string) {
    this.address = address
  }

  /** Returns a function that posts as this account and repeats after 429, 503 and lost connections. Throws for other errors. */
  async as(account: Demonstration[number]) {
    const enter = async () => {
      const reply = await signIn(this.address, account)
      if (!reply.ok) throw new Error(`sign-in: ${reply.status}`)
      const { accessToken, expiresIn } = (await reply.json()) as AccessToken
      return { accessToken, renewAt: performance.now() + (expiresIn / 2) * 1_000 }
    }
    let session = await enter()
    return async (path: string, body: object, version?: number): Promise<Answer> => {
      const key = randomUUID()
      for (;;) {
        if (performance.now() >= session.renewAt) session = await enter().catch(() => session)
        const reply = await fetch(this.address + path, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${session.accessToken}`,
            'content-type': 'application/json',
            'idempotency-key': key,
            ...(version !== undefined && { 'if-match': `"${version}"` }),
          },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(20_000),
        })
          .then(async reply => ({ ...reply, status: reply.status, headers: reply.headers, text: await reply.text() }))
          .catch(error => {
            this.lastRefusal = String(error.cause ?? error)
          })
        if (reply && reply.status < 300) {
          this.acknowledged.push({ key, request: reply.headers.get('x-request-id') ?? '' })
          return JSON.parse(reply.text)
        }
        if (reply && ![429, 503].includes(reply.status)) throw new Error(`${path}: ${reply.status} ${reply.text}`)
        if (reply) this.lastRefusal = `${reply.status} ${reply.text}`
        if (this.abandoned) throw new Error('abandoned')
        this.repeated++
        await wait(150)
      }
    }
  }
}
type Post = Awaited<ReturnType<Storm['as']>>

const note = async (storm: Storm, post: Post, { id }: Case) =>
  storm.notes.push((await post(`/v1/cases/${id}/notes`, { text: 'Called twice.' })).id)

/** Registers with a grant, assesses, submits; recalls every third submission and submits again. */
export async function caseworker(storm: Storm, post: Post, division: string, legalAid: string) {
  for (let n = 0; !storm.over; n++) {
    const grants = [
      { to: legalAid, purpose: 'legal_aid', zones: ['identity'], validUntil: '2031-11-23', basis: consent },
    ]
    const { id } = await post('/v1/cases', { ...registration(), externalId: randomUUID(), grants })
    const one: Case = { id, actions: ['register'] }
    storm.cases.push(one)
    await post(`/v1/cases/${id}/transitions`, { action: 'start_assessment' }, 1)
    one.actions.push('start_assessment')
    await note(storm, post, one)
    const submit = async () => {
      const offer = { kind: 'submission', to: division, grant: submittedWith }
      const { id: referral } = await post(`/v1/cases/${id}/referrals`, offer, one.actions.length)
      one.actions.push('submit')
      storm.referrals.set(referral, 'offered')
      return referral
    }
    let referral = await submit()
    if (n % 3 === 0) {
      await post(`/v1/referrals/${referral}/decision`, { decision: 'recall' }, 1)
      one.actions.push('recall')
      storm.referrals.set(referral, 'recalled')
      referral = await submit()
    }
    storm.waiting.push({ one, referral })
  }
}

/** Accepts each offer, writes a note, and returns every second case. */
export async function officer(storm: Storm, post: Post) {
  for (let n = 0; !storm.over; n++) {
    const next = storm.waiting.shift()
    if (!next) {
      await wait(50)
      continue
    }
    const { one, referral } = next
    await post(`/v1/referrals/${referral}/decision`, { decision: 'accept' }, 1)
    one.actions.push('accept')
    storm.referrals.set(referral, 'accepted')
    await note(storm, post, one)
    if (n % 2) continue
    await post(`/v1/referrals/${referral}/decision`, { decision: 'return', reason: 'incomplete' }, 2)
    one.actions.push('return')
    storm.referrals.set(referral, 'ended')
  }
}
