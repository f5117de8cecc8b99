import type { Use } from '../../rules/reference/queries.ts'
import type { Content, Zone } from './contract.ts'

type AnyZone = Partial<Content<'identity'> & Content<'contact'> & Content<'whereabouts'> & Content<'protection'>>

const use = (list: string, at: string, code: string | undefined, more: Partial<Use> = {}): Use[] =>
  code === undefined ? [] : [{ at, list, code, ...more }]

/** The codes of each zone, with their pointers in its document. */
const uses: Record<Zone, (content: AnyZone) => Use[]> = {
  identity: ({ birthPlace, documents = [] }) => [
    ...use('country', '/birthPlace/country', birthPlace?.country, { former: true }),
    ...documents.flatMap(({ type, country }, i) => [
      ...use('held_document_type', `/documents/${i}/type`, type),
      ...use('country', `/documents/${i}/country`, country, { former: true }),
    ]),
  ],
  contact: ({ languages = [] }) => languages.flatMap((code, i) => use('language', `/languages/${i}`, code)),
  whereabouts: ({ addresses = [] }) =>
    addresses.flatMap(({ regionCode }, i) => use('region', `/addresses/${i}/regionCode`, regionCode)),
  protection: ({ causes = [], mustNotBeKnownTo = [] }) => [
    ...causes.flatMap((code, i) => use('cause', `/causes/${i}`, code, { guarded: true })),
    ...mustNotBeKnownTo.flatMap((code, i) => use('country', `/mustNotBeKnownTo/${i}`, code)),
  ],
}

/** Returns the codes that the document of a zone uses. `at` is the pointer to the document in the request. */
export const codesIn = (zone: Zone, content: Content, at = '#'): Use[] =>
  uses[zone](content as AnyZone).map(use => ({ ...use, at: at + use.at }))
