import type { Kind } from './contract.ts'

/** The same relation as the other person sees it. */
export const inverse: Record<Kind, Kind> = {
  parent: 'child',
  child: 'parent',
  spouse: 'spouse',
  sibling: 'sibling',
  guardian: 'ward',
  ward: 'guardian',
}
