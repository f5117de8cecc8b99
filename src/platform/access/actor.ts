import type { OrganisationKind, Role } from './permissions.ts'

/** The caller, as the database has them at the start of the transaction. */
export type Actor = {
  session: string | null
  account: string
  organisation: string
  kind: OrganisationKind
  parent: string | null
  roles: Role[]
}
