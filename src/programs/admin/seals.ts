import { sealedColumns } from '../../casefile/sealed-columns.ts'
import { Zone } from '../../casefile/zones/contract.ts'
import type { Config } from '../../config.ts'
import type { Finding } from '../../oversight/audit/holds.ts'
import type { Sealed } from '../../platform/access/data-key.ts'
import { type Keys, readKeys } from '../../platform/access/keys.ts'
import { kmsOf } from '../../platform/access/kms.ts'
import { Connection, type Endpoint, type Send } from '../../platform/db/connection.ts'
import type { SealedColumn } from '../../platform/db/sealed.ts'
import { asOwner } from './owner.ts'

/** How many rows are read at a time, and how many of each column a check opens that does not open all. */
const [batch, sample] = [500, 200]

type Row = [id: string, ...rest: (string | number)[]]
/** A sealed value that does not open. */
type Unreadable = { of: SealedColumn; row: Row; kept: Sealed }
type Resealed = Unreadable & { content: Buffer }

/** Returns the sealed values that do not open, as findings: of all of them, or of a sample of each column. */
export const unreadable = (owner: Endpoint, config: Config, { all }: { all: boolean }): Promise<Finding[]> =>
  Connection.with(owner, connection =>
    connection.atOnce(async () => {
      const found = []
      for await (const { of, row } of closed(connection.send, keysOf(config), all))
        found.push({ finding: 'unreadable', ids: { column: of.column, row: row.join('/') } })
      return found
    }),
  )

/**
 * Seals again what was sealed for another spelling of its row: an earlier version of the service bound a value to the id
 * as the caller had typed it. Returns how many values, and a line for each that opens with no spelling.
 */
export const reseal = (config: Config): Promise<string> =>
  asOwner(config, owner =>
    Connection.with(owner, connection =>
      connection.atOnce(async () => {
        const { send } = connection
        const keys = keysOf(config)
        const [mended, lost]: [Resealed[], Unreadable[]] = [[], []]
        for await (const one of closed(send, keys, true)) {
          const content = await resealed(send, keys, one)
          if (content) mended.push({ ...one, content })
          else lost.push(one)
        }
        for (const one of mended) await replace(send, one)
        if (mended.length) await send(`select app.write_own_entry('admin.reseal', $1)`, [{ resealed: mended.length }])
        const lines = lost.map(({ of, row }) => `Opens with no spelling: ${of.column} ${row.join('/')}`)
        return [`Sealed again: ${mended.length}`, ...lines].join('\n')
      }),
    ),
  )

const keysOf = (config: Config): Keys => readKeys(config.keyFile, kmsOf(config))

/** The sealed values that do not open, column by column. Values whose data key was erased are not among them. */
async function* closed(send: Send, keys: Keys, all: boolean): AsyncGenerator<Unreadable> {
  for (const [name, of] of Object.entries(sealedColumns) as [string, SealedColumn][]) {
    const [table, column] = of.column.split('.')
    await send(`declare kept no scroll cursor for
      select ${of.key.map(part => `v.${part}`).join(', ')}, encode(v.${column}, 'base64') as content, encode(k.wrapped, 'base64') as key, k.epoch
      from ${table} v join data_keys k on k.id = encode(substr(v.${column}, 1, 16), 'hex')::uuid
      ${Zone.safeParse(name).success ? `where zone = '${name}'` : ''} ${all ? '' : `order by random() limit ${sample}`}`)
    let rows: Record<string, unknown>[]
    do {
      rows = await send(`fetch ${batch} from kept`)
      for (const read of rows) {
        const one = { of, row: of.key.map(part => read[part]) as Row, kept: read as Sealed }
        if (!opens(keys, one)) yield one
      }
    } while (rows.length)
    await send('close kept')
  }
}

function opens(keys: Keys, { of, row, kept }: Unreadable): boolean {
  try {
    return Boolean(of.open(keys, row, kept))
  } catch {
    return false
  }
}

/** Tries capitals, and then each spelling of the id in the audit log, which recorded ids as they were typed. */
async function resealed(send: Send, keys: Keys, { of, row, kept }: Unreadable): Promise<Buffer | null> {
  const [id, ...rest] = row
  const as = (typed: string) => of.reseal(keys, row, [typed, ...rest], kept)
  const inCapitals = as(id.toUpperCase())
  if (inCapitals) return inCapitals
  const typed = await send(
    `select distinct m[1] as id from entries, regexp_matches(convert_from(content, 'UTF8'), $1, 'gi') m`,
    [`(${id})`],
  )
  return typed.map(({ id }) => as(id as string)).find(content => content !== null) ?? null
}

/** Replaces a sealed value. The triggers that keep history would refuse it: they are off until this transaction ends. */
async function replace(send: Send, { of, row, content }: Resealed): Promise<void> {
  const [table, column] = of.column.split('.')
  await send(`alter table ${table} disable trigger user`)
  await send(
    `update ${table} set ${column} = $1 where ${of.key.map((part, at) => `${part}::text = $${at + 2}`).join(' and ')}`,
    [content, ...row.map(String)],
  )
  await send(`alter table ${table} enable trigger user`)
}
