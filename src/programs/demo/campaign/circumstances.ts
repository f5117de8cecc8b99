import type { Random } from '../random.ts'
import { ageOn } from './calendar.ts'
import { type Former, numberOf } from './former-documents.ts'
import type { Person } from './households.ts'

type Life = { age: number; soviet: boolean; birth: 'kazakhstan' | 'cis' | 'elsewhere' | 'unknown' }

type Kind = {
  /** The relative likelihood of this category for such a life; 0: impossible. */
  weight: (life: Life) => number
  /** Weights of the main cause: each case has one of these. */
  because: Record<string, number>
  held: (life: Life) => Former
}

const nothing = () => '' as const
const lost = ({ age, soviet, birth }: Life): Former => {
  if (age < 16) return 'birth_certificate'
  if (soviet) return 'ussr_passport'
  return birth === 'cis' ? 'cis_passport' : birth === 'elsewhere' ? 'foreign_passport' : 'kz_identity_card'
}

const kinds = {
  ussr_passport_1974: {
    weight: ({ soviet }) => (soviet ? 60 : 0),
    because: { state_succession: 1 },
    held: () => 'ussr_passport',
  },
  expired_cis_passport: {
    weight: ({ age, birth }) => (age >= 18 && birth === 'cis' ? 48 : 0),
    because: { document_expired_abroad: 3, no_consulate_or_no_reply: 2 },
    held: () => 'cis_passport',
  },
  expired_other_passport: {
    weight: ({ age, birth }) => (age >= 18 && birth === 'elsewhere' ? 40 : 0),
    because: { document_expired_abroad: 3, no_consulate_or_no_reply: 1 },
    held: () => 'foreign_passport',
  },
  birth_certificate_only: {
    weight: ({ age, birth }) => (birth !== 'kazakhstan' || age < 17 ? 0 : age < 35 ? 24 : 6),
    because: { unaware_of_procedure: 3, parent_undocumented: 3, supporting_documents_missing: 2 },
    held: () => 'birth_certificate',
  },
  foreign_birth_certificate: {
    weight: ({ age, birth }) => (birth === 'kazakhstan' || birth === 'unknown' ? 0 : age < 18 ? 40 : 4),
    because: { parent_undocumented: 3, supporting_documents_missing: 2 },
    held: () => 'birth_certificate',
  },
  lost_document: {
    weight: ({ age }) => (age < 16 ? 5 : 7),
    because: { document_lost_or_stolen: 1 },
    held: lost,
  },
  no_document: {
    weight: ({ age }) => (age < 16 ? 12 : 17),
    because: { parent_undocumented: 3, birth_not_registered: 2, supporting_documents_missing: 2 },
    held: nothing,
  },
  unregistered_birth: {
    weight: ({ age, birth }) => (age >= 18 ? 0.6 : birth === 'kazakhstan' ? 60 : 12),
    because: { birth_not_registered: 1 },
    held: nothing,
  },
  former_citizenship_renounced: {
    weight: ({ age, birth }) => (age >= 21 && birth === 'cis' ? 8 : 0),
    because: { renunciation_gap: 1 },
    held: () => 'cis_passport',
  },
  recognised_stateless_renewal: {
    weight: ({ age }) => (age >= 21 ? 3 : 0),
    because: { state_succession: 3, renunciation_gap: 1 },
    held: ({ soviet }) => (soviet ? 'ussr_passport' : ''),
  },
  id_expired_kz: {
    weight: ({ age, birth }) => (age >= 27 && birth === 'kazakhstan' ? 7 : 0),
    because: { unaware_of_procedure: 3, cost: 1, distance: 1, other: 1 },
    held: () => 'kz_identity_card',
  },
} satisfies Record<string, Kind>

export type Category = keyof typeof kinds
const categories = Object.entries<Kind>(kinds) as [Category, Kind][]

/** Weights of additional causes, for every category. */
const further = {
  ...{ unaware_of_procedure: 5, cost: 4, supporting_documents_missing: 4, distance: 3, refused_by_office: 2 },
  ...{ discrimination: 1, other: 1 },
}

const cis = new Set(['ARM', 'AZE', 'BLR', 'GEO', 'KGZ', 'MDA', 'RUS', 'TJK', 'TKM', 'UKR', 'UZB'])

function lifeOf({ bornOn, birthCountry }: Person, registeredOn: string): Life {
  const age = ageOn(registeredOn, bornOn)
  // The Soviet passport was issued at 16, until the Soviet Union ended.
  const soviet = bornOn < '1975-12'
  if (!birthCountry) return { age, soviet, birth: 'unknown' }
  if (birthCountry === 'KAZ') return { age, soviet, birth: 'kazakhstan' }
  return { age, soviet, birth: cis.has(birthCountry) ? 'cis' : 'elsewhere' }
}

/** Returns why the person has no papers, and which papers they once had. */
export function circumstances(random: Random, person: Person, registeredOn: string) {
  const life = lifeOf(person, registeredOn)
  const [category, { because, held }] = random.weighted(categories.map(kind => [kind, kind[1].weight(life)] as const))
  const formerDocumentType = held(life)
  const remembered = random.chance(category === 'lost_document' ? 0.5 : 0.92)
  return {
    category,
    causes: causes(random, random.key(because)).join(';'),
    formerDocumentType,
    formerDocumentNumber: remembered ? numberOf(random, formerDocumentType, person.birthCountry) : '',
  }
}

function causes(random: Random, first: string): string[] {
  const all = new Set([first])
  for (let more = random.pick([0, 0, 0, 1, 1, 2]); more > 0; more--) all.add(random.key(further))
  return [...all]
}
