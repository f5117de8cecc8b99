import type postgres from 'postgres'
import type { Someone } from './service.ts'

/** Opens a case to another organisation, without the checks of the service. {@link closeTo} closes it. */
export const openTo = (
  superuser: postgres.Sql,
  id: string,
  owner: Someone,
  to: Someone,
  { purpose = 'legal_aid', zone = 'identity', until = 'infinity' } = {},
) => superuser`
  insert into grants (case_id, owner_id, giver_id, recipient_id, purpose, zones, basis, opened_at, valid_until, given_by)
  values (${id}, ${owner.organisation.id}, ${owner.organisation.id}, ${to.organisation.id}, ${purpose}, array[${zone}]::zone[],
    'consent', now(), ${until}::text::timestamptz, ${owner.account})`
export const closeTo = (superuser: postgres.Sql, id: string, to: Someone) => superuser`
  update grants set closed_at = now(), closed_reason = 'revoked' where case_id = ${id} and recipient_id = ${to.organisation.id}`
