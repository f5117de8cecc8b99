import type { Random } from '../random.ts'

// Calculations use days since 1970-01-01; texts use YYYY-MM-DD.
export const dayOf = (date: string): number => Date.parse(date) / 86_400_000
export const dateOf = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10)

/** Adds years; 29 February becomes 1 March in a year that has none. */
export function plusYears(date: string, years: number): string {
  return new Date(Date.UTC(Number(date.slice(0, 4)) + years, Number(date.slice(5, 7)) - 1, Number(date.slice(8))))
    .toISOString()
    .slice(0, 10)
}

/** In full years. */
export const ageOn = (date: string, bornOn: string): number =>
  Number(date.slice(0, 4)) - Number(bornOn.slice(0, 4)) - (date.slice(5) < bornOn.slice(5) ? 1 : 0)

/** How busy the offices are in a month. Assumed: slow winters, an epidemic summer, the unrest of January 2022. */
const pace: Record<string, number> = {
  ...{ '2020-10': 0.4, '2020-11': 0.7, '2020-12': 0.6 },
  ...{ '2021-01': 0.5, '2021-02': 0.8, '2021-03': 1, '2021-04': 1.2, '2021-05': 1.1, '2021-06': 1.3 },
  ...{ '2021-07': 0.9, '2021-08': 0.6, '2021-09': 1.2, '2021-10': 1.4, '2021-11': 1.5, '2021-12': 1.1 },
  ...{ '2022-01': 0.5, '2022-02': 0.7 },
}

/** Public holidays that fell on working days, and the first days of January 2022. */
const holidays = new Set(
  `
  2020-12-01 2020-12-16 2020-12-17 2021-01-01 2021-01-04 2021-01-07 2021-03-08 2021-03-22 2021-03-23 2021-03-24
  2021-05-03 2021-05-07 2021-05-10 2021-07-06 2021-07-20 2021-08-30 2021-12-01 2021-12-16 2021-12-17
  2022-01-03 2022-01-04 2022-01-05 2022-01-06 2022-01-07`.match(/\S+/g),
)

// Day 0 was a Thursday.
const weekend = (day: number): boolean => (day + 5) % 7 < 2
const closed = (day: number): boolean => weekend(day) || holidays.has(dateOf(day))

/** Draws until the day is a working day; after 8 closed days, takes the last working day before the draw, or `from`. */
export function workingDay(draw: () => number, from: number): number {
  let day = draw()
  for (let tries = 0; closed(day) && tries < 8; tries++) day = draw()
  while (closed(day) && day > from) day--
  return day
}

/**
 * Returns a function from the share `done` (0 to 1) of all registrations to the day by which they had been made. A day with
 * a mobile office has many registrations, a weekend hardly any.
 */
export function intake(random: Random, from: number, to: number): (done: number) => number {
  let total = 0
  const reached = Array.from({ length: to - from + 1 }, (_, n) => {
    const open = closed(from + n) ? 0.02 : random.chance(0.1) ? 2.5 : 1
    total += open * (pace[dateOf(from + n).slice(0, 7)] ?? 1) * (0.6 + 0.8 * random.next())
    return total
  })
  return done => {
    let [low, high] = [0, reached.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((reached[middle] ?? 0) > done * total) high = middle
      else low = middle + 1
    }
    return from + low
  }
}
