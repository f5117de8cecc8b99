import { z } from 'zod'
import type { Keys } from '../../platform/access/keys.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { networkOf } from '../../platform/http/network.ts'
import { tooMany } from '../../problem.ts'

/**
 * Keyed hashes of what is guessed (e-mail, account or code), of the network of the caller, and of both together: who knows
 * an e-mail address cannot keep its owner out, who signs in from elsewhere.
 */
export type Guess = Record<'pair' | 'account' | 'address', Buffer>

export function guessOf({ ip }: { ip: string }, { hash }: Keys, guessed: string): Guess {
  const network = networkOf(ip)
  return {
    pair: hash('guess', `${guessed} ${network}`),
    account: hash('guess', guessed),
    address: hash('guess', network),
  }
}

const GuessRow = z.object({ wait: z.int() })

/**
 * Counts this attempt before it is checked. Throws `too-many-requests` while the delay after earlier failures lasts.
 */
export async function countGuess(tx: Tx, { pair, account, address }: Guess): Promise<void> {
  const [row] = await tx.rows(
    GuessRow,
    sql`
      select greatest(app.count_guess(${address}, 'guesses_from_address'), app.count_guess(${pair}, 'guesses_at_account'),
        app.count_guess(${account}, 'guesses_at_account_anywhere')) as wait`,
  )
  if (row && row.wait > 0) throw tooMany(row.wait)
}

/** Takes this attempt back: it was right as far as it went. */
export const takeBackGuess = (tx: Tx, { pair, account, address }: Guess) =>
  tx.execute(sql`select app.take_back_guess(array[${pair}::bytea, ${account}::bytea, ${address}::bytea])`)

/** Resets the counters after a successful attempt. */
export const forgetGuess = (tx: Tx, { pair, account, address }: Guess) =>
  tx.execute(sql`select app.forget_guesses(${pair}, ${account}, ${address})`)
