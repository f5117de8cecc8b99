import { type Config, StartError } from '../../config.ts'
import { Connection } from '../../platform/db/connection.ts'
import { asOwner } from './owner.ts'

/** How much of whose is due for erasure today, a line for each organisation and purpose. */
export async function dueForErasure(config: Config, dryRun: boolean): Promise<string> {
  if (!dryRun)
    throw new StartError(
      'retention --dry-run: what is due is erased by two administrators, POST /v1/retention-runs and its approval',
    )
  const due = await asOwner(config, owner =>
    Connection.with(owner, ({ send }) =>
      send(`
        select o.name, d.purpose, d.legal_reference, count(*)::int as cases, min(d.due_on) as since
        from due_parts d join organisations o on o.id = d.holder_id where d.due_on <= app.today()
        group by o.id, d.purpose, d.legal_reference order by o.name, d.purpose`),
    ),
  )
  if (!due.length) return 'Nothing is due for erasure'
  return due
    .map(
      ({ name, purpose, legal_reference, cases, since }) =>
        `${name}: what it holds for ${purpose} of ${cases} cases, the oldest due since ${since} (${legal_reference})`,
    )
    .join('\n')
}
