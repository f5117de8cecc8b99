import type { People } from '../names.ts'

type Mix = Record<People, number>
const south: Mix = { kazakh: 44, uzbek: 27, uzbekCyrillic: 12, russian: 17 }
const north: Mix = { kazakh: 34, uzbek: 5, uzbekCyrillic: 3, russian: 58 }
const west: Mix = { kazakh: 66, uzbek: 8, uzbekCyrillic: 4, russian: 22 }
const city: Mix = { kazakh: 40, uzbek: 17, uzbekCyrillic: 7, russian: 36 }

type Region = { weight: number; speed: number; mix: Mix; division?: string }

/**
 * The regions before 8 June 2022. `speed`: the factor by which more cases are documented than elsewhere. `division`: the
 * short name of the office that registers there; without one the committee does.
 */
export const regions: Record<string, Region> = {
  'KZ-11': { weight: 4, speed: 1.03, mix: north },
  'KZ-15': { weight: 3, speed: 1, mix: west },
  'KZ-19': { weight: 12, speed: 0.97, mix: south },
  'KZ-23': { weight: 2.5, speed: 1.04, mix: west },
  'KZ-27': { weight: 2.5, speed: 1.02, mix: west },
  'KZ-31': { weight: 6, speed: 0.96, mix: south },
  'KZ-35': { weight: 8.5, speed: 1.03, mix: north },
  'KZ-39': { weight: 3.5, speed: 1.05, mix: north },
  'KZ-43': { weight: 2.5, speed: 1.02, mix: west },
  'KZ-47': { weight: 3.5, speed: 0.94, mix: west },
  'KZ-55': { weight: 4, speed: 1.05, mix: north },
  'KZ-59': { weight: 2.5, speed: 1.06, mix: north },
  'KZ-61': { weight: 13, speed: 0.93, mix: south, division: 'turkistan' },
  'KZ-63': { weight: 8, speed: 1.02, mix: north, division: 'east-kazakhstan' },
  'KZ-71': { weight: 5, speed: 1.04, mix: city },
  'KZ-75': { weight: 14, speed: 1.05, mix: city, division: 'almaty-city' },
  'KZ-79': { weight: 9.5, speed: 0.98, mix: south },
}
