import { earliestBirth, latestBirth } from './birth.ts'
import type { Birth } from './identity.ts'

const first = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
const second = [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]

const weighed = (digits: readonly number[], weights: readonly number[]) =>
  weights.reduce((sum, weight, place) => sum + weight * (digits[place] ?? 0), 0) % 11

function hasCheckDigit(iin: string): boolean {
  const digits = [...iin].map(Number)
  const once = weighed(digits, first)
  const check = once === 10 ? weighed(digits, second) : once
  return check === digits[11] // 10 again: never a digit, so no such number exists
}

/** The first years of the century and the sex that the seventh digit names. 0 was given to foreigners and names none. */
const seventh: Record<string, { centuries: readonly number[]; sex?: 'male' | 'female' }> = {
  0: { centuries: [1800, 1900, 2000] },
  1: { centuries: [1800], sex: 'male' },
  2: { centuries: [1800], sex: 'female' },
  3: { centuries: [1900], sex: 'male' },
  4: { centuries: [1900], sex: 'female' },
  5: { centuries: [2000], sex: 'male' },
  6: { centuries: [2000], sex: 'female' },
}

/** The possible birth dates in an IIN, `YYYY-MM-DD`: one, or one of each century; none if the date does not exist. */
function birthDates(iin: string): string[] {
  const [, year, month, day] = /^(\d\d)(\d\d)(\d\d)/.exec(iin) ?? []
  return (seventh[iin.charAt(6)]?.centuries ?? [])
    .map(century => `${century + Number(year)}-${month}-${day}`)
    .filter(date => new Date(`${date}T00:00Z`).toJSON()?.startsWith(date))
}

/** Where the day of a person's number has its tens, a company's number (BIN) has the kind of company. */
const isOfCompany = (number: string) => /^[456]$/.test(number.charAt(4))

/** Returns why this is no individual identification number (IIN) of Kazakhstan; undefined if it is one. */
export function faultOfIin(text: string): string | undefined {
  if (!/^\d{12}$/.test(text)) return 'Expected an IIN: twelve digits, with the zeros at its beginning'
  if (!hasCheckDigit(text)) return 'Expected an IIN with a valid check digit'
  if (isOfCompany(text)) return 'Expected the IIN of a person: this is the number of a company'
  if (!seventh[text.charAt(6)]) return 'Expected an IIN with a century that exists in its seventh digit'
  return birthDates(text).length ? undefined : 'Expected an IIN that begins with a date that exists'
}

/** Whether an IIN names another birth date than this one could be. */
export function hasOtherBirth(iin: string, birth: Birth): boolean {
  const [from, to] = [earliestBirth(birth), latestBirth(birth)]
  return from !== undefined && to !== undefined && !birthDates(iin).some(date => from <= date && date <= to)
}

/** Whether an IIN names the other sex. */
export function hasOtherSex(iin: string, sex: string): boolean {
  const named = seventh[iin.charAt(6)]?.sex
  return named !== undefined && ['male', 'female'].includes(sex) && named !== sex
}
