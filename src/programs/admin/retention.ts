import { type Config, StartError } from '../../config.ts'
import { Connection } from '../../platform/db/connection.ts'
import { asOwner } from './owner.ts'

/** Returns a line for each organisation and purpose with the number of cases due for erasure today. */
export async function dueForErasure(config: Config, dryRun: boolean): Promise<string> {
  if (!dryRun)
    throw new StartError(
      'retention needs --dry-run: it only counts. To erase, two administrators use the API: POST /v1/retention-runs and its approval',
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
        `${name}: data of ${cases} cases, held for ${purpose}, the oldest due since ${since} (${legal_reference})`,
    )
    .join('\n')
}
