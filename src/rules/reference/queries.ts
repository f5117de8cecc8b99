import { z } from 'zod'
import type { Tx } from '../../platform/db/database.ts'
import { sql } from '../../platform/db/drizzle.ts'
import { Day } from '../../platform/http/contract.ts'
import { type Fault, notFound } from '../../problem.ts'
import {
  CodeList,
  CodeLists,
  ConsentForms,
  Purposes,
  Region,
  type Regions,
  RetentionRules,
  Terms,
  Thresholds,
} from './contract.ts'

const label = sql`jsonb_build_object('en', label_en, 'ru', label_ru, 'kk', label_kk) as label`

const RegionRow = Region.extend({ day: Day })

/** Returns the regions that existed on a day, with the names they had then. */
export async function regions(tx: Tx, asOf: string | undefined): Promise<Regions> {
  const day = sql`coalesce(${asOf ?? null}::date, app.today())`
  const items = await tx.rows(
    RegionRow,
    sql`
      select r.code, r.kato, r.centre, to_char(lower(r.valid), 'YYYY-MM-DD') as "validFrom", to_char(upper(r.valid), 'YYYY-MM-DD') as "validTo",
        r.predecessor, r.time_zone as "timeZone", r.note, r.source, r.verified, to_char(${day}, 'YYYY-MM-DD') as day,
        jsonb_build_object('en', coalesce(f.label_en, r.label_en), 'ru', coalesce(f.label_ru, r.label_ru), 'kk', coalesce(f.label_kk, r.label_kk)) as label
      from regions r left join former_region_names f on f.code = r.code and f.valid @> ${day}
      where r.valid @> ${day} order by r.code`,
  )
  return { asOf: items[0]?.day ?? asOf ?? '', items }
}

export async function codeLists(tx: Tx): Promise<CodeLists> {
  return {
    items: await tx.rows(
      CodeLists.shape.items.element,
      sql`select list, count(*)::int as codes from codes group by list order by list`,
    ),
  }
}

export async function codeList(tx: Tx, list: string): Promise<CodeList> {
  const items = await tx.rows(
    CodeList.shape.items.element,
    sql`
      select code, ${label}, polarity, needs_document as "needsDocument", needs_state as "needsState", sensitive, keeps_file as "keepsFile",
        number_digits as "numberDigits", source, verified
      from codes where list = ${list} order by position`,
  )
  if (!items.length) throw notFound()
  return { list, items }
}

const TodayRow = z.object({ today: Day })

/** Returns the current day in the time zone of the installation. */
export async function today(tx: Tx): Promise<string> {
  const [row] = await tx.rows(TodayRow, sql`select app.today()::text as today`)
  return row?.today ?? ''
}

export async function terms(tx: Tx): Promise<Terms> {
  return {
    items: await tx.rows(
      Terms.shape.items.element,
      sql`select term, unit, value, ${label}, source, verified from terms order by term`,
    ),
  }
}

export async function thresholds(tx: Tx): Promise<Thresholds> {
  return {
    items: await tx.rows(
      Thresholds.shape.items.element,
      sql`select threshold, value, ${label}, source, verified from thresholds order by threshold`,
    ),
  }
}

export async function purposes(tx: Tx): Promise<Purposes> {
  return {
    items: await tx.rows(
      Purposes.shape.items.element,
      sql`
        select purpose, to_jsonb(recipients) as recipients, without_representative as "withoutRepresentative", names_states as "namesStates",
          legal_basis as "legalBasis", to_jsonb(legal_zones) as "legalZones", source, verified from purposes order by purpose`,
    ),
  }
}

export async function retentionRules(tx: Tx): Promise<RetentionRules> {
  return {
    items: await tx.rows(
      RetentionRules.shape.items.element,
      sql`
        select purpose, kind, term, obligatory, legal_reference as "legalReference", source, verified
        from retention_rules order by purpose, kind`,
    ),
  }
}

export async function consentForms(tx: Tx): Promise<ConsentForms> {
  return {
    items: await tx.rows(
      ConsentForms.shape.items.element,
      sql`
        select version, language, jsonb_object_agg(part, text) as parts, string_agg(distinct source, '; ') as source, bool_and(verified) as verified
        from consent_forms group by version, language order by version desc, language`,
    ),
  }
}

/**
 * A code in a request: of a list, or a region `on` a day (default today). `guarded`: it is in the zone `protection`,
 * where sensitive codes are allowed. `former`: a country of the list `former_country` is allowed too. `named`: whether the
 * request names a State with the outcome. `digits`: how many digits the number of the document has.
 */
export type Use = {
  at: string
  list: string
  code: string
  on?: string | undefined
  guarded?: true
  former?: true
  named?: boolean
  digits?: number
}
const UnknownRow = z.object({ at: z.string(), detail: z.string() })
export type Unknown = z.output<typeof UnknownRow>

/**
 * Returns the faults of these uses: an unknown code (on that day), a sensitive code elsewhere, a State too many or too
 * few, a number that has lost its zeros.
 */
export const unknownCodes = (tx: Tx, uses: readonly Use[]): Promise<Unknown[]> =>
  tx.rows(
    UnknownRow,
    sql`
      select u.at, case when u.digits is not null then format('Expected %s digits, with the zeros at the beginning', c.number_digits)
        when u.named then 'Expected no country: this outcome names no State' when not u.named then 'Missing: this outcome needs a country'
        when c.sensitive then 'This code belongs in the zone protection' when u.list = 'region' then 'Expected a region that existed on that day'
        else 'Expected a code of the list ' || u.list end as detail
      from jsonb_to_recordset(${JSON.stringify(uses)}::jsonb) as u(at text, list text, code text, "on" date, guarded boolean, former boolean, named boolean, digits int)
      left join codes c on c.list in (u.list, case when u.former then 'former_country' end) and c.code = u.code
      left join regions r on u.list = 'region' and r.code = u.code and r.valid @> coalesce(u."on", app.today())
      where case when u.digits is not null then u.digits < c.number_digits
        when u.named is not null then coalesce(c.needs_state, false) <> u.named and c.code is not null
        else c.code is null and r.code is null or c.sensitive and u.guarded is null end`,
  )

/** The same as faults of a request, with `at` as their pointers. */
export const faultsOfCodes = async (tx: Tx, uses: readonly Use[]): Promise<Fault[]> =>
  uses.length ? (await unknownCodes(tx, uses)).map(({ at, detail }) => ({ pointer: at, detail })) : []
