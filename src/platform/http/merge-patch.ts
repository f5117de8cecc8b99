import { z } from 'zod'

/** The media type of a JSON Merge Patch. */
export const mergePatchType = 'application/merge-patch+json'

/** Deeper than every document. */
const deepest = 10
const isWithin = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every(of => isWithin(of, depth - 1)))

export const MergePatch = z
  .record(z.string(), z.unknown())
  .refine(patch => isWithin(patch, deepest), 'Expected at most ten levels')
  .meta({
    id: 'MergePatch',
    description:
      'A JSON Merge Patch (RFC 7396): the fields to be changed. Null removes a field; a list replaces the whole list.',
    examples: [{ phones: ['+77020000000'], instructions: null }],
  })

type Fields = Record<string, unknown>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Returns the document after the patch (RFC 7396); changes neither. */
export function patched(document: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const before = isObject(document) ? document : {}
  const changed = Object.entries(patch).map(([field, value]) => [field, patched(before[field], value)] as const)
  return Object.fromEntries([...Object.entries(before), ...changed].filter(([field]) => patch[field] !== null))
}
