import { z } from 'zod'
import { Problem } from '../../problem.ts'
import { type DataKey, keyOf, type Sealed } from '../access/data-key.ts'
import type { Keys } from '../access/keys.ts'
import type { Database, Tx } from './database.ts'
import { type SQL, sql } from './drizzle.ts'

/** Selects the sealed value of a column, for {@link SealedColumn.open}; null where nothing was entered, or after erasure. */
export const sealed = (column: string): SQL => sql.raw(`app.sealed(${column})`)

/** A sealed value that does not open: moved, changed, or not what its contract expects. The log records only its place. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
  readonly code: string

  constructor(place: string) {
    super()
    this.code = place
  }
}

type Column = `${string}.${string}`
type Row<Key extends readonly string[]> = { [Part in keyof Key]: string | number }
/** The fields of an object contract, null where one is missing. */
type Fields<T> = { [Field in keyof T]-?: Exclude<T[Field], undefined> | null }

/**
 * A column that stores text entered by people, sealed. A value opens only in the column and row that it was sealed for.
 * `key`: the columns that identify the row. `readers`: who may read it, in words. `sealedAs`: the column that its values were
 * sealed for, if they were moved here from another table under the same row id.
 */
export class SealedColumn<T extends z.ZodType = z.ZodType, const Key extends readonly string[] = readonly string[]> {
  readonly column: Column
  readonly key: Key
  readonly contract: T
  readonly readers: string
  readonly #sealedAs: Column

  constructor(
    column: Column,
    key: Key,
    contract: T,
    readers: string,
    { sealedAs = column }: { sealedAs?: Column } = {},
  ) {
    this.column = column
    this.key = key
    this.contract = contract
    this.readers = readers
    this.#sealedAs = sealedAs
  }

  seal(sealer: Sealer, row: Row<Key>, value: z.input<T>): Buffer {
    return sealer.seal(this.#placeOf(row), value as object)
  }

  /** As `seal`; null when no field of the value is given. */
  sealGiven(sealer: Sealer, row: Row<Key>, value: z.input<T>): Buffer | null {
    return isGiven(value as object) ? this.seal(sealer, row, value) : null
  }

  /** As `sealGiven`, with the caller's key, which is fetched only if there is something to seal. */
  async sealFor(tx: Tx, about: About, row: Row<Key>, value: z.input<T>): Promise<Buffer | null> {
    return isGiven(value as object) ? this.seal(await sealerFor(tx, about), row, value) : null
  }

  /** Returns the value in clear; null where nothing was entered, or after erasure. Throws the problem `unreadable`. */
  open<Kept extends Sealed | null>({ open }: Keys, row: Row<Key>, kept: Kept): z.output<T> | Extract<Kept, null> {
    if (kept === null) return kept as never
    const place = this.#placeOf(row)
    try {
      return this.contract.parse(open(place, kept))
    } catch {
      throw new Problem('unreadable', { cause: new Unreadable(place) })
    }
  }

  /** As `open`, with every field of the contract; null where one was not entered. */
  fields(keys: Keys, row: Row<Key>, kept: Sealed | null): Fields<z.output<T>> {
    const { shape } = this.contract as unknown as z.ZodObject
    const given: object = this.open(keys, row, kept) ?? {}
    return { ...Object.fromEntries(Object.keys(shape).map(field => [field, null])), ...given } as never
  }

  /**
   * Returns the value sealed again for its row, under the same data key, if it was sealed for this `spelling` of the row;
   * null if not.
   */
  reseal({ open, dataKey }: Keys, row: Row<Key>, spelling: Row<Key>, kept: Sealed): Buffer | null {
    try {
      const value = open(spelled([this.#sealedAs, ...spelling]), kept) as object
      const content = Buffer.from(kept.content, 'base64')
      return dataKey({ id: keyOf(content), epoch: kept.epoch, wrapped: Buffer.from(kept.key, 'base64') }).seal(
        this.#placeOf(row),
        value,
      )
    } catch {
      return null
    }
  }

  /** The place of a row as the database has it: ids and codes in lower case, however a caller typed them. */
  #placeOf(row: Row<Key>): string {
    return spelled([this.#sealedAs, ...row]).toLowerCase()
  }
}

const spelled = (parts: readonly (string | number)[]): string => parts.join('/')

const isGiven = (value: object) => Object.values(value).some(field => field !== undefined)

/** Seals the values that the caller's organisation enters about a case. */
export class Sealer {
  readonly #dataKey: DataKey

  constructor(dataKey: DataKey) {
    this.#dataKey = dataKey
  }

  seal(place: string, value: object): Buffer {
    return this.#dataKey.seal(place, value)
  }
}

/** Formats bytes as PostgreSQL reads them from JSON. */
export const asText = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

const KeyRow = z.object({ id: z.uuid(), epoch: z.int(), wrapped: z.instanceof(Buffer) })

/** `file`: the key of the file itself, which passes to the next owner of the case. */
type About =
  | { caseId: string; file?: boolean; referralId?: never }
  | { referralId: string; caseId?: never; file?: never }

/**
 * Returns a sealer with the data key of the caller's organisation for this case, or for the case of this referral; creates
 * the key if there is none.
 */
export async function sealerFor({ rows, keys }: Tx, about: About): Promise<Sealer> {
  const { caseId = null, referralId = null, file = false } = about
  const { dataKey, epoch, wrapped } = keys.newDataKey()
  const [kept] = await rows(
    KeyRow,
    sql`select * from app.own_data_key(${caseId}, ${referralId}, ${file}, ${dataKey.id}, ${epoch}, ${wrapped})`,
  )
  if (!kept) throw new Error('app.own_data_key returned no row')
  return new Sealer(kept.id === dataKey.id ? dataKey : keys.dataKey(kept))
}

/** Returns a sealer for a case that this transaction creates; call `keep` after the event that creates it, to store the key. */
export function sealerForNew({ execute, keys }: Tx, caseId: string): { sealer: Sealer; keep: () => Promise<unknown> } {
  const { dataKey, epoch, wrapped } = keys.newDataKey()
  const keep = () =>
    execute(sql`select from app.own_data_key(${caseId}, null, true, ${dataKey.id}, ${epoch}, ${wrapped})`)
  return { sealer: new Sealer(dataKey), keep }
}

/** Returns whether the key file opens the newest data key of this database, or there is none yet. */
export async function opensStoredKeys(db: Database): Promise<boolean> {
  const [kept] = await db.ask(KeyRow, sql`select * from app.newest_data_key()`)
  try {
    return !kept || Boolean(db.keys.dataKey(kept))
  } catch {
    return false
  }
}
