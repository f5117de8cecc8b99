import type { columns } from '../../exchange/imports/row.ts'
import { dateOf, dayOf, intake } from './campaign/calendar.ts'
import { circumstances } from './campaign/circumstances.ts'
import { household } from './campaign/households.ts'
import { documented, readiness, undocumented } from './campaign/procedure.ts'
import { regions } from './campaign/regions.ts'
import { Random } from './random.ts'

export const campaign = {
  name: 'Identification of undocumented persons 2020–2022',
  startsOn: '2020-10-01',
  endsOn: '2022-12-31',
}

/** A row of the import file; `''` for unknown values. */
export type Registration = Record<(typeof columns)[number], string>

/** Registered and documented by 15 February 2022, as IOM Kazakhstan reported. */
const reported = { registered: 7299, documented: 6062 }
const lastRegistration = '2022-02-11'

/**
 * Generates an invented campaign in the proportions of the real one, in the order of registration. The same seed and size
 * give the same people; at any size the reported share is documented by 15 February 2022. Memory use does not grow with the
 * size: only one household is in memory at a time.
 */
export function* registrations({ seed, size }: { seed: number; size: number }): Generator<Registration> {
  const random = new Random(seed)
  const dayAt = intake(random, dayOf(campaign.startsOn), dayOf(lastRegistration))
  const isDocumented = quota(random, size, row => readiness(dayAt((row + 0.5) / size)))
  const documentNumber = documentNumbers(random)

  let row = 0
  while (row < size) {
    const day = dayAt((row + random.next()) / size)
    const registeredOn = dateOf(day)
    const [regionCode, { mix, speed, division }] = random.weighted(weightedRegions)
    const people = random.key(mix)
    for (const person of household(random, { people, day }).slice(0, size - row)) {
      const number = documentNumber(row++)
      const { familyName, givenName, patronymic, sex, birthDate, birthCountry } = person
      const { category, causes, ...former } = circumstances(random, person, registeredOn)
      const known = { person, day, category }
      yield {
        externalId: `C20-${String(row).padStart(6, '0')}`,
        registeredOn,
        regionCode,
        division: division ?? '',
        category,
        causes,
        ...{ familyName, givenName, patronymic, sex, birthDate, birthCountry },
        ...former,
        ...(isDocumented(speed) ? documented(random, known, number) : undocumented(random, known)),
      }
    }
  }
}

const weightedRegions = Object.entries(regions).map(region => [region, region[1].weight] as const)

/** Decides row by row whether it is documented: exactly the reported share overall, early rows more often. */
function quota(random: Random, size: number, readinessOf: (row: number) => number) {
  let row = 0
  let due = Math.round((size * reported.documented) / reported.registered)
  let ahead = 0
  for (let each = 0; each < size; each++) ahead += readinessOf(each)
  return (speed: number): boolean => {
    const own = readinessOf(row)
    const drawn = due >= size - row || random.chance((speed * due * own) / ahead)
    row++
    ahead -= own
    if (drawn) due--
    return drawn
  }
}

/** Returns numbers of nine digits in no visible order and without repeats: the step and the count have no common divisor. */
function documentNumbers(random: Random): (row: number) => string {
  const count = 900_000_000
  const step = 7 ** 10
  const first = random.int(0, count - 1)
  return row => String(100_000_000 + ((first + row * step) % count))
}
