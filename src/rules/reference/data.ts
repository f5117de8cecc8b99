import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import type { Seed } from '../../platform/db/seed.ts'

type Row = Record<string, string>

const read = (name: string): Row[] =>
  parse(readFileSync(new URL(`./data/${name}.csv`, import.meta.url)), { columns: true, skip_empty_lines: true })

const yesNo = (text: string | undefined) => (text ? text === 'yes' : null)
const several = (text: string | undefined) => text?.split(';').filter(Boolean) ?? []
const during = (from: string | undefined, to: string | undefined) => `[${from ?? ''},${to ?? ''})`
const labels = (row: Row, prefix: string) => ({
  label_en: row[`${prefix}_en`],
  label_ru: row[`${prefix}_ru`],
  label_kk: row[`${prefix}_kk`],
})

/** Returns the reference data of the release. A row that exists already in the installation is not changed. */
export const referenceSeeds = (): Seed[] => [
  {
    table: 'regions',
    rows: read('regions').map(row => ({
      ...labels(row, 'name'),
      code: row.code,
      kato: row.kato,
      centre: row.centre,
      valid: during(row.valid_from, row.valid_to),
      predecessor: row.predecessor || null,
      note: row.note,
      time_zone: row.time_zone,
      source: row.source,
      verified: yesNo(row.verified),
    })),
  },
  {
    table: 'former_region_names',
    rows: read('former-region-names').map(row => ({
      ...labels(row, 'name'),
      code: row.code,
      valid: during(row.valid_from, row.valid_to),
    })),
  },
  {
    table: 'codes',
    rows: ['code-lists', 'countries', 'languages'].flatMap(read).map((row, position) => ({
      ...labels(row, 'label'),
      list: row.list,
      code: row.code,
      position,
      polarity: row.polarity || null,
      needs_document: yesNo(row.needs_document),
      needs_state: yesNo(row.needs_state),
      sensitive: yesNo(row.sensitive),
      keeps_file: yesNo(row.keeps_file),
      number_digits: row.number_digits ? Number(row.number_digits) : null,
      source: row.source,
      verified: yesNo(row.verified),
    })),
  },
  {
    table: 'terms',
    rows: read('terms').map(row => ({
      ...labels(row, 'label'),
      term: row.term,
      unit: row.unit,
      value: Number(row.value),
      source: row.source,
      verified: yesNo(row.verified),
    })),
  },
  {
    table: 'thresholds',
    rows: read('thresholds').map(row => ({
      ...labels(row, 'label'),
      threshold: row.threshold,
      value: Number(row.value),
      source: row.source,
      verified: yesNo(row.verified),
    })),
  },
  {
    table: 'purposes',
    rows: read('purposes').map(row => ({
      purpose: row.purpose,
      recipients: several(row.recipients),
      without_representative: yesNo(row.without_representative),
      names_states: yesNo(row.names_states),
      legal_basis: row.legal_basis || null,
      legal_zones: several(row.legal_zones),
      source: row.source,
      verified: yesNo(row.verified),
    })),
  },
  {
    table: 'retention_rules',
    rows: read('retention-rules').flatMap(row =>
      several(row.kinds).map(kind => ({
        purpose: row.purpose,
        kind,
        term: row.term,
        obligatory: yesNo(row.obligatory),
        legal_reference: row.legal_reference,
        source: row.source,
        verified: yesNo(row.verified),
      })),
    ),
  },
  {
    table: 'consent_forms',
    rows: read('consent-forms').flatMap(row =>
      ['en', 'ru', 'kk'].map(language => ({
        version: row.version,
        language,
        part: row.part,
        text: row[`text_${language}`],
        source: row.source,
        verified: yesNo(row.verified),
      })),
    ),
  },
]
