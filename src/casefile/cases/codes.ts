import type { Use } from '../../rules/reference/queries.ts'
import type { NewCase } from './contract.ts'

type Codes = Pick<NewCase, 'category' | 'regionCode' | 'registeredOn' | 'causes'>

/** Returns the codes that the index of a new case uses. `at` is the pointer to it. */
export const codesOfCase = ({ category, regionCode, registeredOn, causes }: Codes, at = '#'): Use[] => [
  { at: `${at}/category`, list: 'category', code: category },
  { at: `${at}/regionCode`, list: 'region', code: regionCode, on: registeredOn },
  ...causes.map((code, i) => ({ at: `${at}/causes/${i}`, list: 'cause', code })),
]
