import type { Random } from '../random.ts'

export type Former = keyof typeof numbers | ''

const digits = (random: Random, length: number): string => String(random.int(0, 10 ** length - 1)).padStart(length, '0')

/** Roman numerals and two letters, as on all documents of the Soviet registries. */
const series = (random: Random): string =>
  `${random.pick(['I', 'II', 'III', 'IV', 'V', 'VII', 'IX', 'XII', 'XV', 'XVIII', 'XXI'])}-` +
  random.pick(['АЛ', 'ЖР', 'ИЛ', 'КВ', 'ЛО', 'МЮ', 'ОН', 'РЛ', 'СБ', 'ТН', 'ЮМ'])

const passports: Record<string, (random: Random) => string> = {
  BLR: random => `MP${digits(random, 7)}`,
  CHN: random => `G${digits(random, 8)}`,
  KGZ: random => `AN${digits(random, 7)}`,
  MNG: random => `E${digits(random, 7)}`,
  RUS: random => `${digits(random, 2)} ${random.pick(['98', '99', '00', '01', '02', '03', '04'])} ${digits(random, 6)}`,
  TJK: random => `40${digits(random, 7)}`,
  UKR: random => `${random.pick(['АК', 'ВМ', 'ЕН', 'КС', 'МТ', 'СН'])}${digits(random, 6)}`,
  UZB: random => `${random.pick(['AA', 'AB', 'CA', 'CE'])}${digits(random, 7)}`,
}
const passport = (random: Random, country: string) => passports[country]?.(random) ?? `A${digits(random, 7)}`

const numbers = {
  ussr_passport: (random: Random) => `${series(random)} ${digits(random, 6)}`,
  cis_passport: passport,
  foreign_passport: passport,
  birth_certificate: (random: Random) => `${series(random)} ${digits(random, 6)}`,
  kz_identity_card: (random: Random) => `0${digits(random, 8)}`,
}

/** Returns a number in the format of this document type; `''` without a document. */
export const numberOf = (random: Random, type: Former, country: string): string =>
  type && numbers[type](random, country)
