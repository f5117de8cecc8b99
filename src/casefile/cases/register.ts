import { randomUUIDv7 } from 'node:crypto'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { sealerForNew } from '../../platform/db/sealed.ts'
import { invalid } from '../../problem.ts'
import { faultsOfCodes, today } from '../../rules/reference/queries.ts'
import { append } from '../events/append.ts'
import { keepText } from '../events/text.ts'
import { faultsOfBasis, splitBasis } from '../grants/basis.ts'
import * as grants from '../grants/give.ts'
import { sealedColumns } from '../sealed-columns.ts'
import { codesIn } from '../zones/codes.ts'
import { Zone } from '../zones/contract.ts'
import * as zones from '../zones/queries.ts'
import { faultsBy, identityRefusals } from '../zones/rules.ts'
import { codesOfCase } from './codes.ts'
import { type NewCase, RegisteredCase } from './contract.ts'
import { find } from './queries.ts'

/**
 * Registers the person: writes the first event, which opens the case to its owner, and the zones. Returns the id of the
 * case.
 */
export async function register(tx: Tx, given: NewCase): Promise<string> {
  const { organisation } = await tx.actor
  const { causes, category, regionCode, registeredOn = await today(tx), person } = given
  const known = Zone.options.flatMap(zone => (person[zone] ? [[zone, person[zone]] as const] : []))
  const [faults, basisFaults, shared] = await Promise.all([
    faultsOfCodes(tx, [
      ...codesOfCase({ ...given, registeredOn }),
      ...known.flatMap(([zone, content]) => codesIn(zone, content, `#/person/${zone}`)),
    ]),
    faultsOfBasis(tx, given.basis, person.identity, registeredOn),
    Promise.all(given.grants.map((grant, i) => grants.prepare(tx, grant, person.identity, `#/grants/${i}`))),
  ])
  faults.push(
    ...basisFaults,
    ...faultsBy(identityRefusals, { identity: person.identity, registeredOn }, '#/person/identity'),
  )
  if (faults.length) throw invalid(faults)
  const id = randomUUIDv7()
  const { facts: basis, text } = splitBasis(given.basis)
  const facts = {
    campaign: given.campaignId,
    region: regionCode,
    category,
    causes,
    basis,
    externalHmac: given.externalId && externalHmac(tx.keys, organisation, given.externalId),
  }
  const { sealer, keep } = sealerForNew(tx, id)
  // Sent in one round trip, in this order.
  await Promise.all([
    append(tx, [{ case_id: id, action: 'register', occurred_on: registeredOn, facts }]),
    keep(),
    keepText(tx, id, id, sealedColumns.event.sealGiven(sealer, [id], text)),
    zones.write(
      tx,
      sealer,
      known.map(([zone, content]) => ({ caseId: id, zone, version: 1, content })),
    ),
    ...shared.map((grant, i) =>
      grants.write(
        tx,
        id,
        grant,
        sealedColumns.grant.sealGiven(sealer, [grant.id, 'given'], grant.typed),
        `#/grants/${i}`,
      ),
    ),
  ])
  return id
}

/** Returns the registered case, and the cases open to the caller that have the same document number or IIN. */
export async function findRegistered(tx: Tx, id: string): Promise<RegisteredCase> {
  const found = await find(tx, id)
  const { iin, documents = [] } = found.person.identity ?? {}
  const numbered = iin !== undefined || documents.some(({ number }) => number !== undefined)
  return { ...found, possibleDuplicates: numbered ? await sameNumber(tx, id) : [] }
}

const sameNumber = async (tx: Tx, id: string) => [
  ...(await tx.rows(
    RegisteredCase.shape.possibleDuplicates.element,
    sql`
      select distinct c.id, c.number from identifiers own
      join lateral (
        select case_id from identifiers i where i.hmac = own.hmac and i.kind = own.kind
        union select case_id from documents d where own.kind = 'document' and d.number_hmac = own.hmac and not d.annulled
        union select case_id from documents d where own.kind = 'iin' and d.iin_hmac = own.hmac and not d.annulled) other on true
      join cases c on c.id = other.case_id
      where own.case_id = ${id} and own.kind in ('iin', 'document') and c.id <> ${id} order by c.id limit 20`,
  )),
]

/** Returns a keyed hash (hexadecimal) of the owner's own number of a case, which finds the case but cannot be read. */
export const externalHmac = ({ hash }: Pick<Tx['keys'], 'hash'>, owner: string, externalId: string) =>
  hash('external-id', `${owner}:${externalId}`).toString('hex')
