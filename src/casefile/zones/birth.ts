import type { Birth } from './contract.ts'

/** The year for the figures; of a range the first one; none when unknown. */
export function birthYear(birth: Birth): number | null {
  switch (birth.precision) {
    case 'day':
      return Number(birth.date.slice(0, 4))
    case 'month':
      return Number(birth.month.slice(0, 4))
    case 'year':
      return birth.year
    case 'range':
      return Number(birth.from.slice(0, 4))
    case 'unknown':
      return null
  }
}

/** The latest day on which the person may have been born, `YYYY-MM-DD`; none when nothing is known of it. */
export function latestBirth(birth: Birth): string | undefined {
  switch (birth.precision) {
    case 'day':
      return birth.date
    case 'month':
      return lastDayOf(birth.month)
    case 'year':
      return `${birth.year}-12-31`
    case 'range':
      return birth.to
    case 'unknown':
      return undefined
  }
}

function lastDayOf(month: string): string {
  const day = new Date(`${month}-01`)
  day.setUTCMonth(day.getUTCMonth() + 1, 0)
  return day.toISOString().slice(0, 10)
}

/** Could they be a child? Whoever may have been born after `adultsBornBy` (`YYYY-MM-DD`) counts as one. */
export const couldBeChild = (birth: Birth, adultsBornBy: string): boolean => {
  const latest = latestBirth(birth)
  return latest === undefined || latest > adultsBornBy
}
