import type { Config } from '../config.ts'
import type { Endpoint } from '../platform/db/connection.ts'
import { migrate } from '../platform/db/migrate.ts'
import { seed } from '../platform/db/seed.ts'
import { decisionRows, ruleRows } from '../procedure/referrals/policy.ts'
import { lifecycleRows } from '../rules/lifecycle/steps.ts'
import { referenceSeeds } from '../rules/reference/data.ts'

/** Brings a database to this release, as its owner: schema, reference data, lifecycle. Returns the names of what was applied. */
export async function prepareDatabase(owner: Endpoint, { country, timeZone }: Pick<Config, 'country' | 'timeZone'>) {
  const applied = await migrate(owner)
  await seed(owner, [
    { table: 'installation', rows: [{ country, time_zone: timeZone, only_one: true }] },
    ...referenceSeeds(),
    { table: 'lifecycle', rows: lifecycleRows, replace: true },
    { table: 'referral_rules', rows: ruleRows, replace: true },
    { table: 'referral_decisions', rows: decisionRows, replace: true },
  ])
  return applied
}
