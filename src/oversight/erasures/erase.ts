import { z } from 'zod'
import { StartError } from '../../config.ts'
import { enterNobody } from '../../platform/db/admission.ts'
import type { Database, Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import type { Readiness } from '../../platform/http/readiness.ts'
import { ErasureRecord, type Ledger } from './ledger.ts'

/** Erasures per transaction. */
const batch = 100

const ApprovedRow = z.object({ line: ErasureRecord })

/**
 * Carries out the approved erasures. Writes them to the ledger first, so that after a crash the next run carries them
 * out, and so that they can be repeated in a database restored from an older backup. Throws a {@link StartError} before it
 * writes anything if ledger and database differ.
 */
export async function eraseApproved(db: Database, ledger: Ledger): Promise<void> {
  for (;;) {
    const erasures = await db.transact(enterNobody, async tx => {
      // Locks out other processes that write to the ledger, until it is compared and written.
      const approved = await tx.rows(
        ApprovedRow,
        sql`select to_jsonb(e) as line from app.approved_erasures(${batch}) e`,
      )
      await compare(tx, ledger)
      const lines = approved.map(({ line }) => ErasureRecord.parse(line)) // drops the other columns of the row
      if (lines.length) ledger.append(lines)
      return lines.toSorted((a, b) => (a.case_id < b.case_id ? -1 : 1)) // cases are locked in the order of their ids
    })
    if (!erasures.length) return
    await db.transact(enterNobody, tx =>
      Promise.all(
        erasures.map(({ id, case_id, holder_id, legal_basis }) => {
          const entry = { cases: [case_id], target: id, holder: holder_id, basis: legal_basis }
          return tx.execute(sql`
            select app.write_own_entry('service.erase', ${JSON.stringify(entry)}::jsonb) from (select app.erase(${id}) as done) e where done`)
        }),
      ),
    )
  }
}

const DifferenceRow = z.object({ here: z.int(), there: z.int() })

/**
 * Throws a {@link StartError} if the database or the ledger lacks erasures of the other: one of them is an older copy, or
 * another process writes another ledger.
 */
async function compare(tx: Tx, ledger: Ledger): Promise<void> {
  const lines = ledger.read()
  const [ids, cases] = [lines.map(({ id }) => id), lines.map(({ case_id }) => case_id)]
  const [missing] = await tx.rows(
    DifferenceRow,
    sql`
      select cardinality(unknown) as here, jsonb_array_length(untold) as there
      from app.compare_ledger(${sql.param(ids)}::uuid[], ${sql.param(cases)}::uuid[])`,
  )
  const [here, there] = [missing?.here ?? 0, missing?.there ?? 0]
  if (here || there)
    throw new StartError(
      here
        ? `This database is from before ${here} of the erasures in ERASURE_LEDGER ${ledger.path}: npm run admin -- restore-check erases them again`
        : `ERASURE_LEDGER ${ledger.path} lacks ${there} erasures of this database: put the newest copy back, or npm run admin -- restore-check adds them. All processes need the same ledger`,
    )
}

/**
 * Runs {@link eraseApproved} while the service runs. As long as ledger and database differ, nothing is erased and the
 * service is not ready.
 */
export async function sweepErasures(db: Database, ledger: Ledger, readiness: Readiness): Promise<void> {
  try {
    await eraseApproved(db, ledger)
    readiness.note('ledger')
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    readiness.note('ledger', { shown: 'ERASURE_LEDGER does not fit the database', logged: error.message })
  }
}
