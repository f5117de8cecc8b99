import { z } from 'zod'
import type { CaseIndex } from '../../casefile/cases/contract.ts'
import { allows, officesOf } from '../../platform/access/permissions.ts'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import type { Page } from '../../platform/db/page.ts'
import { Day, Instant } from '../../platform/http/contract.ts'
import { Problem } from '../../problem.ts'
import type { ProblemName } from '../../problems.ts'
import type { Definition, Reports, Scope } from './contract.ts'

/** A report of the registry. It is served at `/v1/reports/{id}`, and the cases behind it at `…/cases`. */
export type Report<Query extends z.ZodType = z.ZodType, Figures = unknown, CasesQuery extends z.ZodType = z.ZodType> = {
  definition: Definition
  operationId: string
  summary: string
  query: Query
  reply: z.ZodType<Figures>
  /** The problems of its replies, in addition to those of every report. */
  problems?: readonly ProblemName[]
  run(tx: Tx, query: z.output<Query>): Promise<Figures>
  /** Returns the rows of its CSV. */
  rows(figures: Figures): object[]
  /** Returns the scopes, maps and groupings that the caller may ask for. */
  offers(tx: Tx): Promise<Pick<Reports['items'][number], 'scopes' | 'maps' | 'groupBy'>>
  /** The cases behind a number: by the same SQL without the group-by, so their count equals the number. */
  cases: {
    operationId: string
    summary: string
    query: CasesQuery
    run(tx: Tx, query: z.output<CasesQuery>): Promise<Page<CaseIndex>>
  }
}

/** Whether the caller may read cases. Coordinators and auditors may only count them. */
export async function worksOnCases(tx: Tx): Promise<boolean> {
  const { roles, kind } = await tx.actor
  return officesOf(roles, kind).some(office => allows(office, 'cases:read'))
}

export async function requireScope(tx: Tx, scope: Scope): Promise<void> {
  if (scope === 'mine' && !(await worksOnCases(tx)))
    throw new Problem('forbidden', { detail: 'Your role reads scope=campaign only' })
}

/** The day and the instant up to which a report counts. */
export type Times = { asOf: string; knownAt: string }

const TimesRow = z.object({ asOf: Day, knownAt: Instant, settled: z.boolean() })

/** What a caller asks a report for, as far as its times depend on it. */
type Asked = { [time in keyof Times]?: string | undefined } & { scope: Scope; groupBy?: string | undefined }

/**
 * Returns both times, with their defaults. Reads the horizon in a statement before the one that counts. Throws
 * `not-settled-yet` if `knownAt` is after it. Groups of a whole campaign have times at the turn of months only: their
 * defaults are the latest ones, and others are refused.
 */
export async function timesOf(tx: Tx, { asOf, knownAt, scope, groupBy }: Asked): Promise<Times> {
  const monthly = scope === 'campaign' && groupBy !== undefined
  const [row] = await tx.rows(
    TimesRow,
    sql`
      with h as materialized (select app.horizon() as horizon),
        latest as (
          select case when ${monthly} then app.month_end_before(app.today()) else app.today() end as day,
            case when ${monthly} then app.month_begin(horizon) else horizon end as instant, horizon from h)
      select coalesce(${asOf ?? null}, day::text) as "asOf", app.rfc3339(coalesce(${knownAt ?? null}::timestamptz, instant)) as "knownAt",
        coalesce(${knownAt ?? null}::timestamptz <= horizon, true) as settled from latest`,
  )
  if (!row?.settled)
    throw new Problem('not-settled-yet', { detail: 'A transaction that began before knownAt has not ended' })
  if (monthly)
    await tx.execute(sql`select app.require_months(${row.asOf}::date, ${knownAt ?? row.knownAt}::timestamptz)`)
  return row
}
