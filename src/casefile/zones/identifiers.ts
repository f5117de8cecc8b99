import type { Keys } from '../../platform/access/keys.ts'
import type { Identity, PersonName } from './identity.ts'

export type Identifier = { kind: 'iin' | 'document' | 'name'; hmac: string }

/** A name part as it is compared: without differences of case and spaces, but in its own spelling and script. */
const normalName = (part: string) => part.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim()
const normalNumber = (number: string) => number.normalize('NFKC').toUpperCase().replaceAll(/[\s-]/g, '')

/**
 * Bytes of the hash of a name that are stored: enough to leave few candidates, too few to prove that a name matches.
 */
const blockLength = 4

/**
 * Keyed hashes (hexadecimal) that find numbers and names but cannot be read. Of the hash of a name only the first
 * bytes.
 */
export const identify = {
  iin: ({ hash }: Keys, iin: string): string => hash('iin', iin).toString('hex'),
  document: ({ hash }: Keys, number: string): string => hash('document-number', normalNumber(number)).toString('hex'),
  name: ({ hash }: Keys, part: string): string =>
    hash('name', normalName(part)).subarray(0, blockLength).toString('hex'),
}

/** Whether the person's names contain each of these parts. */
export function bears({ names }: Identity, parts: readonly string[]): boolean {
  const borne = new Set(names === 'unknown' ? [] : names.flatMap(partsOf).map(normalName))
  return parts.every(part => borne.has(normalName(part)))
}

const partsOf = ({ family, given, patronymic }: PersonName) => [family, given, patronymic].filter(part => part != null)

/** Returns all identifiers by which a search finds an identity. */
export function identifiersOf(keys: Keys, { names, iin, documents = [] }: Identity): Identifier[] {
  const all: Identifier[] = [
    ...(iin ? [{ kind: 'iin' as const, hmac: identify.iin(keys, iin) }] : []),
    ...documents.flatMap(({ number }) =>
      number ? [{ kind: 'document' as const, hmac: identify.document(keys, number) }] : [],
    ),
    ...(names === 'unknown' ? [] : names.flatMap(partsOf)).map(part => ({
      kind: 'name' as const,
      hmac: identify.name(keys, part),
    })),
  ]
  return [...new Map(all.map(identifier => [identifier.kind + identifier.hmac, identifier])).values()]
}
