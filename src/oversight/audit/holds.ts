import { readFileSync } from 'node:fs'
import { Connection, type Endpoint } from '../../platform/db/connection.ts'

/** Something in the database that the service cannot have done: what it is, and the ids of what it is about. */
export type Finding = { finding: string; ids: Record<string, string | null> }

/** The statement that finds it, for whoever is in a transaction already. */
export const holds = readFileSync(new URL('../../../migrations/checks/holds.sql', import.meta.url), 'utf8')

/** What does not hold together, read at one instant as the owner of the database. */
export const findings = (owner: Endpoint): Promise<Finding[]> =>
  Connection.with(owner, async ({ send }) => (await send(holds)) as unknown as Finding[])
