import { stringify } from 'csv-stringify/sync'
import type { CampaignProgress } from './contract.ts'

/** A report as CSV, its totals first; what a spreadsheet would take for a formula is made harmless. */
export const asCsv = ({ asOf, knownAt, scope, map, totals, groups }: CampaignProgress): string =>
  stringify(
    [{ key: 'total', label: { en: 'Total' }, ...totals }, ...groups].map(({ key, label, ...figures }) => ({
      key,
      label: label.en,
      ...figures,
      ...{ asOf, knownAt, scope, map },
    })),
    { header: true, escape_formulas: true },
  )
