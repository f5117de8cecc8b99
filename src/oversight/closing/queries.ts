import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { Remainder } from './contract.ts'

/** Returns what an organisation has to hand over, end or answer before it is closed, for its own people and administrators. */
export const remainder = async (tx: Tx, organisation: string): Promise<Remainder> => ({
  items: await tx.rows(Remainder.shape.items.element, sql`select what, count from app.remainder(${organisation})`),
})
