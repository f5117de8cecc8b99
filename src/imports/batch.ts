import { randomUUIDv7 } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Keys } from '../access/keys.ts'
import { append, type NewEvent } from '../cases/events.ts'
import { externalHmac } from '../cases/queries.ts'
import type { Tx } from '../db/database.ts'
import { ownAndDivisions } from '../organisations/queries.ts'
import { type Unknown, unknownCodes } from '../reference/queries.ts'
import * as zones from '../zones/queries.ts'
import type { Progress } from './queries.ts'
import type { Fault, Read } from './row.ts'

/** The law that an authority registers by. */
const basis = { kind: 'statute', legalReference: 'order_607' } as const

type Known = { id: string; state: string }
type Placed = Read & { owner: string; hmac: string }

/** One batch of rows: checked against the database, written as events, in the transaction that counts them. */
export async function importRows(
  tx: Tx,
  keys: Keys,
  job: { id: string; campaign: string | null; dryRun: boolean },
  rows: readonly Read[],
): Promise<Omit<Progress, 'records'>> {
  const [{ organisation }, divisions, faultsOfCodes] = await Promise.all([
    tx.actor,
    ownAndDivisions(tx),
    checkCodes(tx, rows),
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
  return (await unknownCodes(tx, uses)).map(({ at, detail }: Unknown) => {
    const [line, field = ''] = at.split('/')
    return { line: Number(line), field, reason: detail }
  })
}

async function findKnown(tx: Tx, hmacs: readonly string[]): Promise<Map<string, Known>> {
  const rows = await tx.execute<Known & { hmac: string }>(sql`
    select c.id, c.state, encode(c.external_hmac, 'hex') as hmac from cases c
    where c.external_hmac = any (array(select decode(jsonb_array_elements_text(${JSON.stringify(hmacs)}::jsonb), 'hex')))`)
  return new Map(rows.map(({ hmac, ...known }) => [hmac, known]))
}

const numberHmac = ({ hash }: Keys, number: string) =>
  hash('document-number', number.toUpperCase().replaceAll(/[\s-]/g, '')).toString('hex')

/** Rows whose document is in the register of their committee already, under another case or twice in this batch. */
async function takenNumbers(
  tx: Tx,
  keys: Keys,
  rows: readonly Placed[],
  known: ReadonlyMap<string, Known>,
): Promise<Placed[]> {
  const documented = rows.filter(({ row, hmac }) => row.documentNumber && known.get(hmac)?.state !== 'documented')
  const keyOf = ({ row }: Placed) => `${row.documentType}/${numberHmac(keys, row.documentNumber ?? '')}`
  const existing = await tx.execute<{ key: string }>(sql`
    select d.type || '/' || encode(d.number_hmac, 'hex') as key from documents d
    where d.type || '/' || encode(d.number_hmac, 'hex') = any (array(
      select jsonb_array_elements_text(${JSON.stringify(documented.map(keyOf))}::jsonb)))`)
  const seen = new Set(existing.map(({ key }) => key))
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
  const events = cases.flatMap(({ id, state, line, row, owner, hmac }): NewEvent[] => {
    const event = { case_id: id, job_id: job.id, line }
    const { regionCode: region, category, causes, outcome, documentType } = row
    const facts = { owner, campaign: job.campaign ?? undefined, region, category, causes, basis, externalHmac: hmac }
    return [
      ...(state === ''
        ? [{ ...event, action: 'import_registered', occurred_on: row.registeredOn, facts } as const]
        : []),
      ...(outcome && row.decidedOn && (state === '' || state === 'registered')
        ? [{ ...event, action: 'import_decided', occurred_on: row.decidedOn, facts: { outcome } } as const]
        : []),
      ...(documentType && row.documentIssuedOn && state !== 'documented'
        ? [
            {
              ...event,
              action: 'import_documented',
              occurred_on: row.documentIssuedOn,
              facts: { documentType },
            } as const,
          ]
        : []),
    ]
  })
  // One statement an action: the database folds the events of a statement when all of them are in.
  for (const action of ['import_registered', 'import_decided', 'import_documented'] as const)
    await append(
      tx,
      events.filter(event => event.action === action),
    )
  await zones.writeIdentities(
    tx,
    cases.filter(({ state }) => state === '').map(({ id, identity }) => ({ caseId: id, identity })),
  )
  await keepDocuments(
    tx,
    keys,
    cases.filter(({ row, state }) => row.documentNumber && state !== 'documented'),
  )
}

const keepDocuments = (tx: Tx, keys: Keys, rows: readonly (Placed & { id: string })[]) =>
  tx.execute(sql`
    insert into documents (case_id, committee_id, type, content, number_hmac, issued_on, expires_on)
    select case_id, coalesce(app.parent(), app.org()), type, content, decode(number_hmac, 'hex'), issued_on, expires_on
    from jsonb_to_recordset(${JSON.stringify(
      rows.map(({ id, row }) => ({
        case_id: id,
        type: row.documentType,
        content: { number: row.documentNumber },
        number_hmac: numberHmac(keys, row.documentNumber ?? ''),
        issued_on: row.documentIssuedOn,
        expires_on: row.documentExpiresOn,
      })),
    )}::jsonb) as d(case_id uuid, type text, content jsonb, number_hmac text, issued_on date, expires_on date)`)
