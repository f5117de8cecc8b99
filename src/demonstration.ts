import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OrganisationKind, Role } from './access/permissions.ts'
import type { Endpoint } from './db/connection.ts'
import { seed } from './db/seed.ts'
import { hashPassword } from './sessions/password.ts'

export type Demonstration = {
  email: string
  password: string
  role: Role
  organisation: { id: string; name: string; kind: OrganisationKind }
}[]

type Office = {
  kind: OrganisationKind
  name: string
  short: string
  regions?: string[]
  people: [given: string, role: Role][]
}

/** Organisations of every kind with people in every role, and two where two persons are needed. None of them exists. */
const offices: Office[] = [
  {
    kind: 'iom',
    name: 'IOM Kazakhstan',
    short: 'iom',
    people: [
      ['marta', 'caseworker'],
      ['jonas', 'supervisor'],
      ['leila', 'supervisor'],
      ['ines', 'coordinator'],
    ],
  },
  {
    kind: 'committee',
    name: 'Migration Service Committee',
    short: 'committee',
    people: [
      ['aliya', 'officer'],
      ['daniyar', 'officer'],
      ['gulnara', 'supervisor'],
      ['yerlan', 'supervisor'],
    ],
  },
  {
    kind: 'division',
    name: 'Migration Division of Almaty City',
    short: 'almaty-city',
    regions: ['KZ-75'],
    people: [
      ['bolat', 'officer'],
      ['saule', 'officer'],
      ['marat', 'supervisor'],
      ['aigerim', 'supervisor'],
    ],
  },
  {
    kind: 'division',
    name: 'Migration Division of Turkistan',
    short: 'turkistan',
    regions: ['KZ-61'],
    people: [
      ['nurlan', 'officer'],
      ['zhanna', 'officer'],
      ['kairat', 'supervisor'],
      ['madina', 'supervisor'],
    ],
  },
  {
    kind: 'division',
    name: 'Migration Division of East Kazakhstan and Abai',
    short: 'east-kazakhstan',
    regions: ['KZ-63', 'KZ-10'],
    people: [
      ['timur', 'officer'],
      ['oksana', 'officer'],
      ['askar', 'supervisor'],
      ['inna', 'supervisor'],
    ],
  },
  {
    kind: 'ngo',
    name: 'Sunrise Legal Aid',
    short: 'sunrise',
    people: [
      ['asel', 'caseworker'],
      ['ruslan', 'caseworker'],
      ['dina', 'supervisor'],
      ['pavel', 'supervisor'],
    ],
  },
  {
    kind: 'ngo',
    name: 'Common Home',
    short: 'common-home',
    people: [
      ['zarina', 'caseworker'],
      ['anton', 'caseworker'],
      ['kamila', 'supervisor'],
      ['igor', 'supervisor'],
    ],
  },
  { kind: 'oversight', name: 'Personal Data Oversight', short: 'oversight', people: [['samal', 'auditor']] },
  {
    kind: 'operator',
    name: 'Operator of this installation',
    short: 'operator',
    people: [
      ['admin', 'administrator'],
      ['deputy', 'administrator'],
    ],
  },
]

const fileOf = (dataDir: string) => join(dataDir, 'demonstration.json')

/** Who can sign in to try things out; undefined when nobody was made for that. */
export const readDemonstration = (dataDir: string): Demonstration | undefined =>
  existsSync(fileOf(dataDir)) ? (JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as Demonstration) : undefined

/** Makes the demonstration once, as owner: one password for all, so that a newcomer has one thing to copy. */
export async function writeDemonstration(dataDir: string, owner: Endpoint): Promise<void> {
  if (existsSync(fileOf(dataDir))) return
  const password = randomBytes(15).toString('base64url')
  const demonstration = await seedDemonstration(owner, password, await hashPassword(password))
  const path = fileOf(dataDir)
  writeFileSync(`${path}.new`, `${JSON.stringify(demonstration, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

export async function seedDemonstration(
  owner: Endpoint,
  password: string,
  passwordHash: string,
): Promise<Demonstration> {
  const committee = randomUUID()
  const organisations = offices.map(({ kind, name, short, regions = [], people }) => {
    const id = kind === 'committee' ? committee : randomUUID()
    return { id, kind, name, short_name: short, parent_id: kind === 'division' ? committee : null, regions, people }
  })
  const accounts = organisations.flatMap(({ id, kind, name, short_name, people }) =>
    people.map(([given, role]) => ({
      organisation: { id, name, kind },
      email: `${given}@${short_name}.example`,
      given,
      role,
    })),
  )
  await seed(owner, [
    {
      table: 'organisations',
      rows: organisations.map(({ id, kind, name, short_name, parent_id }) => ({
        id,
        kind,
        name,
        short_name,
        parent_id,
        status: 'active',
        version: 1,
      })),
    },
    {
      table: 'coverage',
      rows: organisations.flatMap(({ id, regions }) =>
        regions.map(region_code => ({ organisation_id: id, region_code })),
      ),
    },
    {
      table: 'accounts',
      rows: accounts.map(({ organisation, email, given, role }) => ({
        id: randomUUID(),
        organisation_id: organisation.id,
        organisation_kind: organisation.kind,
        email,
        name: given.charAt(0).toUpperCase() + given.slice(1),
        roles: [role],
        status: 'active',
        password_hash: passwordHash,
        version: 1,
      })),
    },
  ])
  return accounts.map(({ organisation, email, role }) => ({ email, password, role, organisation }))
}
