import type { Kind } from './contract.ts'

/** What this person is to the other one, when the other one is that to this one. */
export const inverse: Record<Kind, Kind> = {
  parent: 'child',
  child: 'parent',
  spouse: 'spouse',
  sibling: 'sibling',
  guardian: 'ward',
  ward: 'guardian',
}
