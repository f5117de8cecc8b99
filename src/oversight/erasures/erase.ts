import { z } from 'zod'
import { StartError } from '../../config.ts'
import { type Database, enterNobody } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { type Ledger, Told } from './ledger.ts'

/** Erasures at a time. */
const batch = 100

const ApprovedRow = z.object({ told: Told })

/**
 * Does what was approved: told to the ledger first, so that whatever happens in between it is done, by whoever comes next, and
 * done again in a database that is restored from before.
 */
export async function eraseApproved(db: Database, ledger: Ledger): Promise<void> {
  for (;;) {
    const erasures = await db.transact(enterNobody, async tx => {
      const approved = await tx.rows(
        ApprovedRow,
        sql`select to_jsonb(e) as told from app.approved_erasures(${batch}) e`,
      )
      const told = approved.map(({ told }) => Told.parse(told)) // and nothing else of the row
      if (told.length) ledger.append(told) // as long as no other process writes there
      return told
    })
    if (!erasures.length) return
    await db.transact(enterNobody, tx =>
      Promise.all(
        erasures.map(({ id, case_id, holder_id, legal_basis }) => {
          const said = { cases: [case_id], target: id, holder: holder_id, basis: legal_basis }
          return tx.execute(sql`
            select app.tell('service.erase', ${JSON.stringify(said)}::jsonb) from (select app.erase(${id}) as done) e where done`)
        }),
      ),
    )
  }
}

const DifferenceRow = z.object({ here: z.int(), there: z.int() })

/** Refuses a database and a ledger of which one does not know what the other one tells of: one of them is a copy from before. */
export async function checkLedger(db: Database, ledger: Ledger): Promise<void> {
  const told = ledger.read()
  const [ids, cases] = [told.map(({ id }) => id), told.map(({ case_id }) => case_id)]
  const [missing] = await db.transact(enterNobody, tx =>
    tx.rows(
      DifferenceRow,
      sql`
        select cardinality(unknown) as here, jsonb_array_length(untold) as there
        from app.compare_ledger(${sql.param(ids)}::uuid[], ${sql.param(cases)}::uuid[])`,
    ),
  )
  const [here, there] = [missing?.here ?? 0, missing?.there ?? 0]
  if (here || there)
    throw new StartError(
      here
        ? `This database is from before ${here} of the erasures in ERASURE_LEDGER ${ledger.path}: npm run admin -- restore-check erases them again`
        : `ERASURE_LEDGER ${ledger.path} lacks ${there} erasures of this database: put the newest copy back, or npm run admin -- restore-check adds them`,
    )
}
