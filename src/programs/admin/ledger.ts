import { z } from 'zod'
import type { Config } from '../../config.ts'
import { ErasureRecord, Ledger } from '../../oversight/erasures/ledger.ts'
import { readKeys } from '../../platform/access/keys.ts'
import { kmsOf } from '../../platform/access/kms.ts'
import { Connection, type Send } from '../../platform/db/connection.ts'
import { asOwner } from './owner.ts'

export async function createLedger({ erasureLedger }: Config): Promise<string> {
  Ledger.create(erasureLedger)
  return `Created ${erasureLedger}. Keep a copy apart from the data, together with the copy of KEY_FILE`
}

/**
 * Brings a restored database and the ledger to the same state: repeats the erasures that only the ledger has, and adds to the
 * ledger the erasures that only the database has. After an interruption the command can be run again.
 */
export const restoreCheck = (config: Config): Promise<string> =>
  asOwner(config, owner =>
    Connection.with(owner, async connection => {
      const { send } = connection
      const ledger = new Ledger(config.erasureLedger, readKeys(config.keyFile, kmsOf(config)))
      const lines = ledger.read()
      const { unknown, untold } = await connection.atOnce(async () => {
        await send('set local role definer')
        return compared(send, lines)
      })
      if (untold.length) ledger.append(untold)
      for (const one of lines.filter(({ id }) => unknown.includes(id)))
        await connection.atOnce(async () => {
          await send('set local role definer')
          await send('select app.replay_erasure($1::text::jsonb)', [JSON.stringify(one)])
          await send('reset role')
          await send(`select app.write_own_entry('admin.eraseAgain', $1)`, [{ cases: [one.case_id], target: one.id }])
        })
      return `Repeated ${unknown.length} of the ${lines.length} erasures in ERASURE_LEDGER and added ${untold.length} to it. The service may start`
    }),
  )

/** Returns the ids that only the ledger has (`unknown`) and the erasures that only the database has (`untold`). */
async function compared(
  send: Send,
  lines: readonly ErasureRecord[],
): Promise<{ unknown: string[]; untold: ErasureRecord[] }> {
  const [differing] = await send('select * from app.compare_ledger($1::uuid[], $2::uuid[])', [
    lines.map(({ id }) => id),
    lines.map(({ case_id }) => case_id),
  ])
  return { unknown: differing?.unknown, untold: z.array(ErasureRecord).parse(differing?.untold) }
}
