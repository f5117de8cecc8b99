import { randomUUIDv7 } from 'node:crypto'
import { externalHmac } from '../src/casefile/cases/register.ts'
import { readRow } from '../src/exchange/imports/row.ts'
import type { Keys } from '../src/platform/access/keys.ts'
import type { Registration } from '../src/programs/demo/campaign.ts'
import type { Random } from '../src/programs/demo/random.ts'
import type { CaseAction } from '../src/rules/lifecycle/contract.ts'
import { steps } from '../src/rules/lifecycle/steps.ts'
import type { Organisation } from './organisations.ts'

/** Shares of a country's cases by kind of owner. Of each kind, a few organisations have many cases and most have few. */
const owners = { division: 60, ngo: 35, iom: 5 } as const
/** Share of a division's cases that are imported, with the outcome of the campaign; the others advance step by step. */
const imported = 0.7
const ways = {
  consent: [
    [['register'], 15],
    [['register', 'start_assessment'], 35],
    [['register', 'start_assessment', 'submit', 'accept'], 40],
    [['register', 'withdraw'], 10],
  ],
  statute: [
    [['register'], 20],
    [['register', 'start_assessment'], 20],
    [['register', 'start_assessment', 'take_up'], 60],
  ],
} as const
const basis = {
  consent: { kind: 'consent', method: 'written', language: 'ru', formVersion: '2026-1' },
  statute: { kind: 'statute', legalReference: 'order_607' },
} as const

export type Import = { id: string; organisation: string; account: string }

/** Draws the organisation that owns the case of a registration. */
export function ownerOf(random: Random, organisations: readonly Organisation[]): Organisation {
  const kind = random.key(owners)
  return random.weighted(
    organisations
      .filter(organisation => organisation.kind === kind)
      .map((organisation, place) => [organisation, 1 / (place + 1)]),
  )
}

/** Turns a registration of the campaign into the events of one case of that owner and the identity of the person. */
export function storyOf(
  registration: Registration,
  { random, keys, job, line, organisations }: Context,
  owner: Organisation,
) {
  const given = readRow(line, registration)
  if (!('read' in given)) throw new Error(JSON.stringify(given.faults))
  const { case: row, identity, document, outcome, decidedOn } = given.read
  const by = owner.kind === 'division' ? 'statute' : 'consent'
  const isImported = by === 'statute' && random.chance(imported)
  const { regionCode: region, category, causes, registeredOn } = row
  const facts = {
    region,
    category,
    causes,
    basis: basis[by],
    externalHmac: externalHmac(keys, owner.id, row.externalId),
  }
  const happened: Happened[] = isImported
    ? [{ action: 'import_registered', day: registeredOn, facts: { owner: owner.id, ...facts } }]
    : random
        .weighted<readonly CaseAction[]>(ways[by])
        .map((action, stage) => ({ action, day: registeredOn, facts: stage === 0 ? facts : {} }))
  if (isImported && outcome) happened.push({ action: 'import_decided', day: decidedOn, facts: { outcome } })
  if (isImported && document) {
    const { documentType, issuedOn } = document
    happened.push({ action: 'import_documented', day: issuedOn, facts: { documentType } })
  }
  const handler = happened.some(({ action }) => action === 'accept')
    ? random.weighted(
        organisations.filter(({ kind }) => kind === 'division').map((division, i) => [division, 1 / (i + 1)]),
      )
    : undefined
  let state = ''
  const events = happened.map(({ action, day = '', facts }, stage) => {
    const step = steps.find(step => step.action === action && (step.from ?? '') === state)
    if (!step) throw new Error(`no ${action} from ${state}`)
    const from = state
    state = step.to
    return {
      id: idOf(day, line, stage),
      action,
      from,
      to: step.to,
      day,
      facts,
      handler: step.handler === 'owner' ? owner : action === 'accept' ? handler : undefined,
      outcome,
    }
  })
  return {
    id: idOf(registeredOn, line),
    line,
    owner,
    by,
    job: isImported ? job : undefined,
    handler,
    events,
    row,
    document,
    identity,
  } as const
}
export type Story = ReturnType<typeof storyOf>
type Context = { random: Random; keys: Keys; job: Import; line: number; organisations: readonly Organisation[] }
type Happened = { action: CaseAction; day: string | undefined; facts: Record<string, unknown> }

/** Returns an id with the time of that day, so that ids are in the order of events, stage after stage. */
function idOf(day: string, place: number, stage = 0): string {
  const milliseconds = (Date.parse(day) + place + stage * 3_600_000).toString(16).padStart(12, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}${randomUUIDv7().slice(13)}`
}
