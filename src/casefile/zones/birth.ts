import type { Birth } from './identity.ts'

/** Returns the year that reports count by: of a range the first year; null if unknown. */
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

/** Returns the earliest possible birth date, `YYYY-MM-DD`; undefined if unknown. */
export function earliestBirth(birth: Birth): string | undefined {
  switch (birth.precision) {
    case 'day':
      return birth.date
    case 'month':
      return `${birth.month}-01`
    case 'year':
      return `${birth.year}-01-01`
    case 'range':
      return birth.from
    case 'unknown':
      return undefined
  }
}

/** Returns the latest possible birth date, `YYYY-MM-DD`; undefined if unknown. */
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

/** Whether the person could be a child: their latest possible birth date is after `adultsBornBy` (`YYYY-MM-DD`). */
export const couldBeChild = (birth: Birth, adultsBornBy: string): boolean => {
  const latest = latestBirth(birth)
  return latest === undefined || latest > adultsBornBy
}
