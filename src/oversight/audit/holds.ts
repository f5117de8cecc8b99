import { readFileSync } from 'node:fs'
import { Connection, type Endpoint } from '../../platform/db/connection.ts'

/**
 * An inconsistency in the database that the service cannot have caused: its kind, and the ids of the rows concerned.
 */
export type Finding = { finding: string; ids: Record<string, string | null> }

/** The statement that returns the findings, to run in an open transaction. */
export const holds = readFileSync(new URL('../../../migrations/checks/holds.sql', import.meta.url), 'utf8')

/** Returns the findings, read in one snapshot as the owner of the database. */
export const findings = (owner: Endpoint): Promise<Finding[]> =>
  Connection.with(owner, async ({ send }) => (await send(holds)) as unknown as Finding[])
