export type Sex = 'male' | 'female'

/** From the father's given name. */
export type Patronymic = (father: string, sex: Sex) => string

/** The parts of the names of a people, in one script. */
export type Names = {
  given: Record<Sex, readonly string[]>
  families: readonly Record<Sex, string>[]
  /** As written today, and as in Soviet papers, which older people often kept. */
  patronymic: Record<'today' | 'soviet', Patronymic>
}

export const words = (text: string): string[] => text.trim().split(/\s+/)

/** Family names from the male form; those that `female` leaves alone have one form. */
export const families = (text: string, female: (male: string) => string): Record<Sex, string>[] =>
  words(text).map(male => ({ male, female: female(male) }))

/** The Russian ending on a Turkic name in Cyrillic: Ахмет: Ахметович; Абай: Абаевич; Мұса, Әли: Мұсаевич, Әлиевич. */
export function sovietPatronymic(father: string, sex: Sex): string {
  const stem = father.replace(/й$/, '')
  const soft = stem !== father || /[аәеёиіоөуұүўыэюя]$/.test(father)
  return stem + (soft ? 'ев' : 'ов') + (sex === 'male' ? 'ич' : 'на')
}
