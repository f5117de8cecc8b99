const first = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
const second = [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]

const weighed = (digits: readonly number[], weights: readonly number[]) =>
  weights.reduce((sum, weight, place) => sum + weight * (digits[place] ?? 0), 0) % 11

/**
 * Whether this is an individual identification number of Kazakhstan: twelve digits, the last a check digit of the
 * others.
 */
export function isIin(text: string): boolean {
  if (!/^\d{12}$/.test(text) || /^0+$/.test(text)) return false
  const digits = [...text].map(Number)
  const once = weighed(digits, first)
  const check = once === 10 ? weighed(digits, second) : once
  return check === digits[11] // 10 again: never a digit, so no such number exists
}
