import { type SQL, sql } from 'drizzle-orm'
import type { z } from 'zod'
import { Problem } from '../../problem.ts'
import type { DataKey, Sealed } from '../access/data-key.ts'
import type { Keys } from '../access/keys.ts'
import type { Database, Tx } from './database.ts'

/** Where something sealed stands: a column, its row, and the version of that if it has any. It opens nowhere else. */
export type Place = readonly [column: `${string}.${string}`, ...row: (string | number)[]]

const nameOf = (place: Place) => place.join('/')

/** What stands sealed in this column, for {@link opened}; null where nothing does, and of what was erased. */
export const sealed = (column: string): SQL => sql.raw(`app.sealed(${column})`)

/** Something sealed that does not open, or is not what it was; the log says which by its place, never what is in it. */
class Unreadable extends Error {
  override readonly name = 'Unreadable'
  readonly code: string

  constructor(place: Place) {
    super()
    this.code = nameOf(place)
  }
}

/** What was typed, as its contract knows it; null where nothing was, and of what was erased. */
export function opened<T extends z.ZodType, Kept extends Sealed | null>(
  { open }: Keys,
  place: Place,
  kept: Kept,
  contract: T,
): z.output<T> | Extract<Kept, null> {
  if (kept === null) return kept as never
  try {
    return contract.parse(open(nameOf(place), kept))
  } catch {
    throw new Problem('unreadable', { cause: new Unreadable(place) })
  }
}

/** Seals what the caller's organisation types about a case. */
export class Sealer {
  readonly #dataKey: DataKey

  constructor(dataKey: DataKey) {
    this.#dataKey = dataKey
  }

  seal = (place: Place, value: object): Buffer => this.#dataKey.seal(nameOf(place), value)

  /** The same, or null when nothing in it was said. */
  sealSaid = (place: Place, value: object): Buffer | null => (isSaid(value) ? this.seal(place, value) : null)
}

const isSaid = (value: object) => Object.values(value).some(said => said !== undefined)

/** Bytes as PostgreSQL reads them out of JSON. */
export const asText = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

type Kept = { id: string; epoch: number; wrapped: Buffer }
/** `file`: what is known of the person and what they agreed to, which goes with the case to its next owner. */
type About =
  | { caseId: string; file?: boolean; referralId?: never }
  | { referralId: string; caseId?: never; file?: never }

/** With the key that the caller's organisation has for this case, or for that of this referral; it gets one if it has none. */
export async function sealerFor({ execute, keys }: Tx, about: About): Promise<Sealer> {
  const { caseId = null, referralId = null, file = false } = about
  const { dataKey, epoch, wrapped } = keys.newDataKey()
  const [kept] = await execute<Kept>(sql`
    select * from app.own_data_key(${caseId}, ${referralId}, ${file}, ${dataKey.id}, ${epoch}, ${wrapped})`)
  if (!kept) throw new Error('whoever may type has a key')
  return new Sealer(kept.id === dataKey.id ? dataKey : keys.dataKey(kept))
}

/** What was said, sealed with such a key; null, and no key asked for, when nothing was. */
export const sealedIfSaid = async (tx: Tx, about: About, place: Place, value: object): Promise<Buffer | null> =>
  isSaid(value) ? (await sealerFor(tx, about)).seal(place, value) : null

/** With a key for a case that this transaction makes, which has no other one; `keep` it behind the event that makes the case. */
export function sealerForNew({ execute, keys }: Tx, caseId: string): { sealer: Sealer; keep: () => Promise<unknown> } {
  const { dataKey, epoch, wrapped } = keys.newDataKey()
  const keep = () =>
    execute(sql`select from app.own_data_key(${caseId}, null, true, ${dataKey.id}, ${epoch}, ${wrapped})`)
  return { sealer: new Sealer(dataKey), keep }
}

/** Do these keys open what is kept in this database? */
export async function opensWhatIsKept(db: Database): Promise<boolean> {
  const [kept] = await db.ask<Kept>(sql`select * from app.newest_data_key()`)
  try {
    return !kept || Boolean(db.keys.dataKey(kept))
  } catch {
    return false
  }
}
