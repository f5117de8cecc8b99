import { randomUUIDv7 } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Keys } from '../access/keys.ts'
import { externalHmac } from '../cases/register.ts'
import type { Tx } from '../db/database.ts'
import { append, type NewEvent } from '../events/append.ts'
import { ownAndDivisions } from '../organisations/queries.ts'
import { type Unknown, unknownCodes } from '../reference/queries.ts'
import { identify } from '../zones/identifiers.ts'
import * as zones from '../zones/queries.ts'
import type { Progress } from './queries.ts'
import type { Fault, Read } from './row.ts'

/** The law that an authority registers by. */
const basis = { kind: 'statute', legalReference: 'order_607' } as const

/** `last`: the day of what happened last. `byHand`: somebody has moved the case here, who did not import it. */
type Known = { id: string; state: string; outcome: string | null; last: string; byHand: boolean }
type Placed = Read & { owner: string; hmac: string }

/** One batch of rows: checked against the database, written as events, in the transaction that counts them. */
export async function importRows(
  tx: Tx,
  keys: Keys,
  job: { id: string; campaign: string | null; dryRun: boolean },
  rows: readonly Read[],
): Promise<Omit<Progress, 'records'>> {
  const [{ organisation }, divisions, faultsOfCodes, [today]] = await Promise.all([
    tx.actor,
    ownAndDivisions(tx),
    checkCodes(tx, rows),
    tx.execute<{ day: string }>(sql`select app.today()::text as day`),
  ])
  const faults: Fault[] = [...faultsOfCodes]
  const bad = new Set(faults.map(({ line }) => line))
  const placed = new Map<string, Placed>()
  for (const read of rows) {
    const owner = read.row.division ? divisions.get(read.row.division) : organisation
    if (!owner) faults.push({ line: read.line, field: 'division', reason: 'Not a division of yours' })
    if (!owner || bad.has(read.line)) continue
    const hmac = externalHmac(keys, owner, read.row.externalId)
    if (placed.has(hmac)) faults.push({ line: read.line, field: 'externalId', reason: 'Stands in this file before' })
    else placed.set(hmac, { ...read, owner, hmac })
  }
  const known = await findKnown(tx, [...placed.keys()])
  for (const [hmac, row] of placed) {
    const fault = faultOfCourse(row, known.get(hmac), today?.day ?? '')
    if (!fault) continue
    faults.push({ line: row.line, ...fault })
    placed.delete(hmac)
  }
  const taken = await takenNumbers(tx, keys, [...placed.values()], known)
  for (const { line, hmac } of taken) {
    faults.push({ line, field: 'documentNumber', reason: 'Stands in the register already' })
    placed.delete(hmac)
  }
  const accepted = [...placed.values()]
  const registered = accepted.filter(({ hmac }) => !known.has(hmac)).length
  if (!job.dryRun) await write(tx, keys, job, accepted, known)
  return { registered, existing: accepted.length - registered, faults }
}

async function checkCodes(tx: Tx, rows: readonly Read[]): Promise<Fault[]> {
  const uses = rows.flatMap(({ line, row }) => [
    { at: `${line}/category`, list: 'category', code: row.category },
    { at: `${line}/regionCode`, list: 'region', code: row.regionCode, on: row.registeredOn },
    ...row.causes.map(code => ({ at: `${line}/causes`, list: 'cause', code })),
    ...(row.outcome ? [{ at: `${line}/outcome`, list: 'outcome', code: row.outcome }] : []),
    ...(row.documentType ? [{ at: `${line}/documentType`, list: 'document_type', code: row.documentType }] : []),
  ])
  const [unknown, without] = await Promise.all([
    unknownCodes(tx, uses),
    tx.execute<{ code: string }>(sql`select code from codes where list = 'outcome' and not needs_document`),
  ])
  const needNone = new Set(without.map(({ code }) => code))
  return [
    ...unknown.map(({ at, detail }: Unknown) => {
      const [line, field = ''] = at.split('/')
      return { line: Number(line), field, reason: detail }
    }),
    ...rows
      .filter(({ row }) => row.documentType && needNone.has(row.outcome ?? ''))
      .map(({ line }) => ({ line, field: 'documentType', reason: 'This outcome needs no document' })),
  ]
}

async function findKnown(tx: Tx, hmacs: readonly string[]): Promise<Map<string, Known>> {
  const rows = await tx.execute<Known & { hmac: string }>(sql`
    select c.id, c.state, c.outcome, encode(c.external_hmac, 'hex') as hmac, e.last, e.by_hand as "byHand"
    from cases c cross join lateral (
      select max(occurred_on)::text as last, bool_or(from_state <> to_state and not starts_with(action, 'import_')) as by_hand
      from standing_events where case_id = c.id) e
    where c.external_hmac = any (array(select decode(jsonb_array_elements_text(${JSON.stringify(hmacs)}::jsonb), 'hex')))`)
  return new Map(rows.map(({ hmac, ...known }) => [hmac, known]))
}

/** How far a case comes by imports; one that went another way here is not theirs to move. */
const stages = ['', 'registered', 'decided', 'documented']

/** What does not go together with the calendar, or with what is on record of the case. */
function faultOfCourse({ row }: Placed, known: Known | undefined, today: string): Omit<Fault, 'line'> | undefined {
  const state = known?.state ?? ''
  const moves = row.outcome && stages.indexOf(state) < stages.indexOf(row.documentType ? 'documented' : 'decided')
  if (row.outcome && !stages.includes(state)) return { field: 'outcome', reason: 'The case has gone on here since' }
  if (moves && known?.byHand) return { field: 'outcome', reason: 'The case is in the hands of somebody here' }
  if (known?.outcome && row.outcome !== known.outcome) return { field: 'outcome', reason: 'Another one is on record' }
  const days = [
    ['registeredOn', row.registeredOn, ''],
    ['decidedOn', row.decidedOn, 'decided'],
    ['documentIssuedOn', row.documentIssuedOn, 'documented'],
  ] as const
  for (const [field, day, stage] of days) {
    if (day && day > today) return { field, reason: 'Lies in the future' }
    const isNew = stage !== '' && stages.indexOf(state) < stages.indexOf(stage)
    if (day && known && isNew && day < known.last) return { field, reason: 'Earlier than what is on record' }
  }
  return undefined
}

/** Rows whose document is in the register of their committee already, under another case or twice in this batch. */
async function takenNumbers(
  tx: Tx,
  keys: Keys,
  rows: readonly Placed[],
  known: ReadonlyMap<string, Known>,
): Promise<Placed[]> {
  const documented = rows.filter(({ row, hmac }) => row.documentNumber && known.get(hmac)?.state !== 'documented')
  const entry = ({ row }: Placed) => ({
    type: row.documentType,
    number: identify.document(keys, row.documentNumber ?? ''),
  })
  const keyOf = (placed: Placed) => JSON.stringify(entry(placed))
  const existing = await tx.execute<ReturnType<typeof entry>>(sql`
    select type, number from jsonb_to_recordset(${JSON.stringify(documented.map(entry))}::jsonb) as d(type text, number text)
    where app.in_register(type, decode(number, 'hex'))`)
  const seen = new Set(existing.map(({ type, number }) => JSON.stringify({ type, number })))
  return documented.filter(row => seen.has(keyOf(row)) || !seen.add(keyOf(row)))
}

/** The events that each row tells of and its case does not have yet, in the order in which they happened. */
async function write(
  tx: Tx,
  keys: Keys,
  job: { id: string; campaign: string | null },
  rows: readonly Placed[],
  known: ReadonlyMap<string, Known>,
) {
  const cases = rows.map(placed => ({ ...placed, ...(known.get(placed.hmac) ?? { id: randomUUIDv7(), state: '' }) }))
  const fresh = cases.filter(({ state }) => state === '')
  const undecided = cases.filter(({ state, row }) => row.outcome && stages.indexOf(state) < stages.indexOf('decided'))
  const undocumented = cases.filter(
    ({ state, row }) => row.documentType && stages.indexOf(state) < stages.indexOf('documented'),
  )
  const event = ({ id, line }: (typeof cases)[number]) => ({ case_id: id, job_id: job.id, line })
  // One statement an action: the database folds the events of a statement when all of them are in.
  await append(
    tx,
    fresh.map((placed): NewEvent => {
      const { regionCode: region, category, causes, registeredOn } = placed.row
      const campaign = job.campaign ?? undefined
      const facts = { owner: placed.owner, campaign, region, category, causes, basis, externalHmac: placed.hmac }
      return { ...event(placed), action: 'import_registered', occurred_on: registeredOn, facts }
    }),
  )
  await zones.write(
    tx,
    keys,
    fresh.map(({ id, identity }) => ({ caseId: id, zone: 'identity', version: 1, content: identity })),
  )
  await append(
    tx,
    undecided.map((placed): NewEvent => {
      const { outcome, decidedOn } = placed.row
      return { ...event(placed), action: 'import_decided', occurred_on: decidedOn, facts: { outcome } }
    }),
  )
  await append(
    tx,
    undocumented.map((placed): NewEvent => {
      const { documentType, documentIssuedOn } = placed.row
      return { ...event(placed), action: 'import_documented', occurred_on: documentIssuedOn, facts: { documentType } }
    }),
  )
  await keepDocuments(tx, keys, job.id, undocumented)
}

const keepDocuments = (tx: Tx, keys: Keys, job: string, rows: readonly (Placed & { id: string })[]) =>
  tx.execute(sql`
    insert into documents (event_id, case_id, committee_id, type, content, number_hmac, issued_on, expires_on)
    select e.id, d.case_id, coalesce(app.parent(), app.org()), type, content, decode(number_hmac, 'hex'), issued_on, expires_on
    from jsonb_to_recordset(${JSON.stringify(
      rows.map(({ id, row }) => ({
        case_id: id,
        type: row.documentType,
        content: { number: row.documentNumber },
        number_hmac: identify.document(keys, row.documentNumber ?? ''),
        issued_on: row.documentIssuedOn,
        expires_on: row.documentExpiresOn,
      })),
    )}::jsonb) as d(case_id uuid, type text, content jsonb, number_hmac text, issued_on date, expires_on date)
    join case_events e on e.case_id = d.case_id and e.job_id = ${job} and e.action = 'import_documented'`)
