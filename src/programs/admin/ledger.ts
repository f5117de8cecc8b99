import { z } from 'zod'
import type { Config } from '../../config.ts'
import { Ledger, Told } from '../../oversight/erasures/ledger.ts'
import { readKeys } from '../../platform/access/keys.ts'
import { kmsOf } from '../../platform/access/kms.ts'
import { Connection, type Send } from '../../platform/db/connection.ts'
import { asOwner } from './owner.ts'

export async function createLedger({ erasureLedger }: Config): Promise<string> {
  Ledger.create(erasureLedger)
  return `Made ${erasureLedger}; keep a copy apart from the data, along with that of KEY_FILE`
}

/**
 * Brings a database that was restored and the ledger to the same knowledge: what the ledger tells of is erased again, and what
 * only the database knows of is told to the ledger. What was interrupted goes on when it is asked for again.
 */
export const restoreCheck = (config: Config): Promise<string> =>
  asOwner(config, owner =>
    Connection.with(owner, async connection => {
      const { send } = connection
      const ledger = new Ledger(config.erasureLedger, readKeys(config.keyFile, kmsOf(config)))
      const told = ledger.read()
      const { unknown, untold } = await connection.atOnce(async () => {
        await send('set local role definer')
        return compared(send, told)
      })
      if (untold.length) ledger.append(untold)
      for (const one of told.filter(({ id }) => unknown.includes(id)))
        await connection.atOnce(async () => {
          await send('set local role definer')
          await send('select app.replay_erasure($1::text::jsonb)', [JSON.stringify(one)])
          await send('reset role')
          await send(`select app.tell('admin.eraseAgain', $1)`, [{ cases: [one.case_id], target: one.id }])
        })
      return `Of ${told.length} erasures in ERASURE_LEDGER ${unknown.length} were done again; ${untold.length} were added to it. The database may serve`
    }),
  )

async function compared(send: Send, told: readonly Told[]): Promise<{ unknown: string[]; untold: Told[] }> {
  const [differing] = await send('select * from app.compare_ledger($1::uuid[], $2::uuid[])', [
    told.map(({ id }) => id),
    told.map(({ case_id }) => case_id),
  ])
  return { unknown: differing?.unknown, untold: z.array(Told).parse(differing?.untold) }
}
