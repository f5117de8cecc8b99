import type { Random } from '../random.ts'
import { ageOn, dateOf, dayOf, plusYears, workingDay } from './calendar.ts'
import type { Category } from './circumstances.ts'
import type { Person } from './households.ts'

/** The day of the reported figures; nothing later is known. */
const horizon = dayOf('2022-02-15')

/** Days within which two thirds of all who ever get a document have it. */
const patience = 70

/** Returns the share of a day's registrations that is documented by the horizon, up to a constant factor. */
export const readiness = (day: number): number => 1 - Math.exp((day - horizon) / patience)

type Case = { person: Person; category: Category; day: number }

const grown = { kz_citizenship_confirmed: 89, stateless_recognised: 9, residence_permit: 2, birth_registered: 0 }
// Certificates and permits are issued from 16.
const child = { kz_citizenship_confirmed: 1, stateless_recognised: 0, residence_permit: 0, birth_registered: 0 }
const newborn = { kz_citizenship_confirmed: 45, stateless_recognised: 0, residence_permit: 0, birth_registered: 55 }

/** Outcome weights of adults, for categories that decide more than the age does. */
const likely: Partial<Record<Category, typeof grown>> = {
  expired_cis_passport: { ...grown, kz_citizenship_confirmed: 77, stateless_recognised: 14, residence_permit: 9 },
  expired_other_passport: { ...grown, kz_citizenship_confirmed: 45, stateless_recognised: 15, residence_permit: 40 },
  birth_certificate_only: { ...grown, kz_citizenship_confirmed: 98, stateless_recognised: 2, residence_permit: 0 },
  former_citizenship_renounced: { ...grown, kz_citizenship_confirmed: 42, stateless_recognised: 50 },
  recognised_stateless_renewal: { ...grown, kz_citizenship_confirmed: 6, stateless_recognised: 94 },
  id_expired_kz: { ...grown, kz_citizenship_confirmed: 99, stateless_recognised: 1, residence_permit: 0 },
}

/** Returns outcome and document of a documented case. */
export function documented(random: Random, { person, category, day }: Case, documentNumber: string) {
  const issued = workingDay(() => day + Math.max(3, waited(random, horizon - day, patience)), day)
  const decided = workingDay(() => day + Math.ceil((issued - day) * (0.35 + 0.5 * random.next())), day)
  const documentIssuedOn = dateOf(issued)
  const age = ageOn(documentIssuedOn, person.bornOn)
  const unregistered = age < 18 && category === 'unregistered_birth' && !abroad(person)
  const outcome = random.key(unregistered ? newborn : age < 16 ? child : (likely[category] ?? grown))
  const documentType = documentFor(random, outcome, age)
  return {
    outcome,
    decidedOn: dateOf(decided),
    documentType,
    documentNumber,
    documentIssuedOn,
    documentExpiresOn: validity[documentType] ? plusYears(documentIssuedOn, validity[documentType]) : '',
  }
}

/** In years; 0: never expires. */
const validity = {
  citizen_identity_card: 10,
  citizen_passport: 10,
  birth_certificate: 0,
  stateless_certificate: 5,
  residence_permit: 10,
}

function documentFor(random: Random, outcome: keyof typeof grown, age: number): keyof typeof validity {
  if (outcome === 'stateless_recognised') return 'stateless_certificate'
  if (outcome === 'residence_permit') return 'residence_permit'
  if (outcome === 'birth_registered' || age < 16) return 'birth_certificate'
  return random.chance(0.85) ? 'citizen_identity_card' : 'citizen_passport'
}

const abroad = ({ birthCountry }: Person): boolean => birthCountry !== 'KAZ' && birthCountry !== ''

const unsettled = { outcome: '', decidedOn: '' }
const noDocument = { documentType: '', documentNumber: '', documentIssuedOn: '', documentExpiresOn: '' }

/** Returns outcome and empty document of a case without one: most are still waiting, some have an outcome that needs none. */
export function undocumented(random: Random, { person, day }: Case) {
  const time = horizon - day
  if (time < 25 || random.chance(0.75)) return { ...unsettled, ...noDocument }
  const outcome = random.key({
    kz_citizenship_route_opened: 6,
    foreign_citizenship_confirmed: abroad(person) ? 12 : 0,
    refugee_procedure: abroad(person) ? 1 : 0,
    refused: 5,
    inadmissible: 3,
    discontinued: 5,
  })
  const decided = workingDay(() => day + Math.max(15, waited(random, time, 2 * patience)), day)
  return { outcome, decidedOn: dateOf(decided), ...noDocument }
}

/** Draws days from an exponential distribution, cut off at `most`. */
const waited = (random: Random, most: number, mean: number): number =>
  Math.ceil(-mean * Math.log(1 - random.next() * (1 - Math.exp(-most / mean))))
