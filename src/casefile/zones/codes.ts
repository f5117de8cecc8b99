import type { Use } from '../../rules/reference/queries.ts'
import type { Content, Zone } from './contract.ts'

/** Returns the codes that the document of a zone uses. `at` is the pointer to the document in the request. */
export function codesIn(zone: Zone, content: Content, at = '#'): Use[] {
  const { causes = [], addresses = [] } = content as Partial<Content<'protection'> & Content<'whereabouts'>>
  if (zone === 'protection')
    return causes.map((code, i) => ({ at: `${at}/causes/${i}`, list: 'cause', code, guarded: true }))
  if (zone === 'whereabouts')
    return addresses.flatMap(({ regionCode }, i) =>
      regionCode ? [{ at: `${at}/addresses/${i}/regionCode`, list: 'region', code: regionCode }] : [],
    )
  return []
}
