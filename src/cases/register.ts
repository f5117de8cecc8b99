import { randomUUIDv7 } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type { Keys } from '../access/keys.ts'
import type { Tx } from '../db/database.ts'
import { append, keepText } from '../events/append.ts'
import { type Fault, invalid } from '../problem.ts'
import { faultsOfCodes } from '../reference/queries.ts'
import { couldBeChild } from '../zones/birth.ts'
import { codesIn } from '../zones/codes.ts'
import { type Identity, Zone } from '../zones/contract.ts'
import * as zones from '../zones/queries.ts'
import type { Basis, NewCase, RegisteredCase } from './contract.ts'
import { find } from './queries.ts'

const byConsent = ['ngo', 'iom']

/** Registers the person: the first event, which opens the case to its owner, and what is known about them. */
export async function register(tx: Tx, given: NewCase, keys: Keys): Promise<string> {
  const { organisation } = await tx.actor
  const { causes, category, regionCode, registeredOn, person } = given
  const known = Zone.options.flatMap(zone => (person[zone] ? [[zone, person[zone]] as const] : []))
  const [faults, basisFaults] = await Promise.all([
    faultsOfCodes(tx, [
      { at: '#/category', list: 'category', code: category },
      { at: '#/regionCode', list: 'region', code: regionCode, on: registeredOn },
      ...causes.map((code, i) => ({ at: `#/causes/${i}`, list: 'cause', code })),
      ...known.flatMap(([zone, content]) => codesIn(zone, content, `#/person/${zone}`)),
    ]),
    faultsOfBasis(tx, given.basis, person.identity, registeredOn),
  ])
  if (faults.length || basisFaults.length) throw invalid([...faults, ...basisFaults])
  const id = randomUUIDv7()
  const { facts: basis, text } = sayBasis(given.basis)
  const facts = {
    campaign: given.campaignId,
    region: regionCode,
    category,
    causes,
    basis,
    externalHmac: given.externalId && externalHmac(keys, organisation, given.externalId),
  }
  // In one flight, in this order.
  await Promise.all([
    append(tx, [{ case_id: id, action: 'register', occurred_on: registeredOn, facts }]),
    keepText(tx, id, text),
    zones.write(
      tx,
      keys,
      known.map(([zone, content]) => ({ caseId: id, zone, version: 1, content })),
    ),
  ])
  return id
}

/** The case that was registered, with those of the caller's view that carry the same number. */
export async function findRegistered(tx: Tx, id: string): Promise<RegisteredCase> {
  const found = await find(tx, id)
  const { iin, documents = [] } = found.person.identity ?? {}
  const numbered = iin !== undefined || documents.some(({ number }) => number !== undefined)
  return { ...found, possibleDuplicates: numbered ? await sameNumber(tx, id) : [] }
}

const sameNumber = async (tx: Tx, id: string) => [
  ...(await tx.execute<RegisteredCase['possibleDuplicates'][number]>(sql`
    select distinct c.id, c.number from identifiers own
    join lateral (
      select case_id from identifiers i where i.hmac = own.hmac and i.kind = own.kind
      union select case_id from documents d where own.kind = 'document' and d.number_hmac = own.hmac and not d.annulled
      union select case_id from documents d where own.kind = 'iin' and d.iin_hmac = own.hmac and not d.annulled) other on true
    join cases c on c.id = other.case_id
    where own.case_id = ${id} and own.kind in ('iin', 'document') and c.id <> ${id} order by c.id limit 20`)),
]

/** What a basis says: in codes, and in words. */
export const sayBasis = ({ representative, ...basis }: Basis) => ({
  facts: { ...basis, representative: representative?.kind },
  text: { representative: representative?.name },
})

/** An authority acts by statute, everybody else by consent; for a child somebody speaks. */
export async function faultsOfBasis(tx: Tx, basis: Basis, identity: Identity, day: string): Promise<Fault[]> {
  const { kind } = await tx.actor
  const [row] = await tx.execute<{ adults: string }>(
    sql`select (${day}::date - app.term('majority'))::date::text as adults`,
  )
  const faults: Fault[] = []
  if (byConsent.includes(kind) !== (basis.kind === 'consent'))
    faults.push({ pointer: '#/basis/kind', detail: 'An authority registers by statute, everybody else by consent' })
  if (basis.kind === 'statute')
    faults.push(
      ...(await faultsOfCodes(tx, [{ at: '#/basis/legalReference', list: 'legal_basis', code: basis.legalReference }])),
    )
  if (!basis.representative && couldBeChild(identity.birth, row?.adults ?? ''))
    faults.push({
      pointer: '#/basis/representative',
      detail: 'The person could be under age: say who speaks for them (none_yet if nobody), or since when they are not',
    })
  return faults
}

/** An owner's own number of a case, found again but not read: hexadecimal. */
export const externalHmac = ({ hash }: Keys, owner: string, externalId: string) =>
  hash('external-id', `${owner}:${externalId}`).toString('hex')
