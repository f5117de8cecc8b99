import type { Use } from '../../rules/reference/queries.ts'
import type { NewDocument } from './contract.ts'

/** Returns the codes that a document uses, also to compare its number with its type. `at` is the pointer to it. */
export const codesOfDocument = ({ documentType: code, number }: NewDocument, at = '#'): Use[] => [
  { at: `${at}/documentType`, list: 'document_type', code },
  ...(/^\d+$/.test(number) ? [{ at: `${at}/number`, list: 'document_type', code, digits: number.length }] : []),
]
