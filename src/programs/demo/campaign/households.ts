import type { Sex } from '../names/material.ts'
import { type People, peoples } from '../names.ts'
import type { Random } from '../random.ts'
import { ageOn, dateOf, dayOf, plusYears } from './calendar.ts'

export type Person = {
  familyName: string
  givenName: string
  patronymic: string
  sex: Sex
  bornOn: string
  /** As recorded: for adults often less precise than `bornOn`. */
  birthDate: string
  birthCountry: string
}

/** Weights of birth countries, assumed like all weights of the demonstration; `''`: not known. */
const birthCountries: Record<People, Record<string, number>> = {
  kazakh: { KAZ: 58, UZB: 21, RUS: 5, CHN: 5, MNG: 4, KGZ: 3, TKM: 3, '': 1 },
  russian: { KAZ: 48, RUS: 24, UZB: 8, UKR: 7, KGZ: 5, TJK: 2, BLR: 2, AZE: 1, DEU: 1, '': 2 },
  uzbek: { UZB: 60, KAZ: 22, TJK: 7, KGZ: 6, TKM: 2, AFG: 1, '': 2 },
  uzbekCyrillic: { UZB: 55, KAZ: 30, TJK: 8, KGZ: 6, '': 1 },
}

const ages: [[from: number, to: number], weight: number][] = [
  [[0, 15], 5],
  [[16, 17], 3],
  [[18, 25], 13],
  [[26, 35], 19],
  [[36, 45], 21],
  [[46, 60], 27],
  [[61, 82], 11],
]

type At = { people: People; day: number }

/** Returns the people who register together on a day; one household in eleven is a family of two to six. */
export const household = (random: Random, at: At): Person[] =>
  random.chance(0.093) ? family(random, at) : [single(random, at)]

function single(random: Random, { people, day }: At): Person {
  const [from, to] = random.weighted(ages)
  const bornOn = from === 0 ? dateOf(day - random.int(20, 5800)) : bornAt(random, day, random.int(from, to))
  const alone = person(random, { people, day }, { sex: random.pick(['male', 'female']), bornOn })
  return random.chance(0.06) ? { ...alone, patronymic: '' } : alone
}

function family(random: Random, at: At): Person[] {
  const { families, given, patronymic } = peoples[at.people]
  const familyName = random.pick(families)
  const age = random.int(24, 50)
  // The children have the man's name even if he is absent.
  const man = person(random, at, { sex: 'male', bornOn: bornAt(random, at.day, age), familyName })
  const present = random.chance(0.7)
  const ownName = present && random.chance(0.2) ? random.pick(families) : familyName
  const womansAge = Math.max(20, age - random.int(-2, 7))
  const woman = person(random, at, { sex: 'female', bornOn: bornAt(random, at.day, womansAge), familyName: ownName })

  const wanted = Math.max(present ? 0 : 1, random.pick([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4]))
  const births = birthsOf(random, at.day, [man.bornOn, woman.bornOn], wanted)
  const names = { male: others(random.shuffle(given.male), man.givenName), female: random.shuffle(given.female) }
  const style = random.chance(0.2) ? 'soviet' : 'today'
  const children = births.map((bornOn, n) => {
    const sex = random.pick(['male', 'female'])
    return {
      ...person(random, at, { sex, bornOn, familyName }),
      givenName: names[sex][n] ?? '',
      patronymic: patronymic[style](man.givenName, sex),
      birthCountry: random.chance(0.85) ? 'KAZ' : woman.birthCountry,
    }
  })
  return present ? [man, woman, ...children] : [woman, ...children]
}

/** Returns `wanted` birth dates, or fewer but one: under 18 on the day, and not before both parents were 18. */
function birthsOf(random: Random, day: number, parents: string[], wanted: number): string[] {
  const grown = Math.max(...parents.map(bornOn => dayOf(plusYears(bornOn, 18))))
  const births: string[] = []
  let next = random.int(Math.max(grown, day - 6500), day - 20)
  while (births.length < wanted && next <= day - 20) {
    births.push(dateOf(next))
    next += random.int(320, 1500)
  }
  return births
}

type Given = { sex: Sex; bornOn: string; familyName?: Record<Sex, string> }

function person(random: Random, { people, day }: At, { sex, bornOn, familyName }: Given): Person {
  const { families, given, patronymic } = peoples[people]
  const style = random.chance(bornOn < '1991' ? 0.7 : 0.2) ? 'soviet' : 'today'
  const givenName = random.pick(given[sex])
  return {
    familyName: (familyName ?? random.pick(families))[sex],
    givenName,
    patronymic: patronymic[style](random.pick(others(given.male, givenName)), sex),
    sex,
    bornOn,
    birthDate: ageOn(dateOf(day), bornOn) < 18 ? bornOn : recorded(random, bornOn),
    birthCountry: random.key(birthCountries[people]),
  }
}

/** Without one name: a son hardly ever has his father's given name. */
const others = (names: readonly string[], taken: string): string[] => names.filter(name => name !== taken)

/** Returns the recorded birth date: less precise at times; offices write 1 January when only the year is known. */
function recorded(random: Random, bornOn: string): string {
  const precision = random.key({ day: 78, january: 10, month: 3, year: 7, unknown: 2 })
  const year = bornOn.slice(0, 4)
  return { day: bornOn, january: `${year}-01-01`, month: bornOn.slice(0, 7), year, unknown: '' }[precision]
}

const bornAt = (random: Random, day: number, age: number): string =>
  dateOf(day - Math.floor(age * 365.25) - random.int(1, 364))
