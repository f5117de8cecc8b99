import type { OrganisationKind, Role } from './permissions.ts'

/** Whoever is asking, as the database knows them at the start of the transaction. */
export type Actor = {
  session: string | null
  account: string
  organisation: string
  kind: OrganisationKind
  parent: string | null
  roles: Role[]
}
