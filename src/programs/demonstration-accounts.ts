import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../config.ts'
import { newOtpSecret, sealOtpSecret } from '../people/second-factors/policy.ts'
import { hashPassword } from '../people/sessions/password.ts'
import type { Keys } from '../platform/access/keys.ts'
import type { OrganisationKind, Role } from '../platform/access/permissions.ts'
import type { Endpoint } from '../platform/db/connection.ts'
import { seed } from '../platform/db/seed.ts'
import { hasRows } from '../platform/db/setup.ts'

export type Demonstration = {
  id: string
  email: string
  password: string
  role: Role
  organisation: { id: string; name: string; kind: OrganisationKind }
  /** The secret of the account's second factor, in base32: sign-in needs a code too. */
  otpSecret?: string
}[]

type Office = {
  kind: OrganisationKind
  name: string
  short: string
  regions?: string[]
  people: Record<string, Role>
}

/** Organisations of every kind with people in every role, two where a step needs two persons. All are invented. */
const offices: Office[] = [
  {
    kind: 'iom',
    name: 'IOM Kazakhstan',
    short: 'iom',
    people: { marta: 'caseworker', jonas: 'supervisor', leila: 'supervisor', ines: 'coordinator' },
  },
  {
    kind: 'committee',
    name: 'Migration Service Committee',
    short: 'committee',
    people: { aliya: 'officer', daniyar: 'officer', gulnara: 'supervisor', yerlan: 'supervisor' },
  },
  {
    kind: 'division',
    name: 'Migration Division of Almaty City',
    short: 'almaty-city',
    regions: ['KZ-75'],
    people: { bolat: 'officer', saule: 'officer', marat: 'supervisor', aigerim: 'supervisor' },
  },
  {
    kind: 'division',
    name: 'Migration Division of Turkistan',
    short: 'turkistan',
    regions: ['KZ-61'],
    people: { nurlan: 'officer', zhanna: 'officer', kairat: 'supervisor', madina: 'supervisor' },
  },
  {
    kind: 'division',
    name: 'Migration Division of East Kazakhstan and Abai',
    short: 'east-kazakhstan',
    regions: ['KZ-63', 'KZ-10'],
    people: { timur: 'officer', oksana: 'officer', askar: 'supervisor', inna: 'supervisor' },
  },
  {
    kind: 'ngo',
    name: 'Sunrise Legal Aid',
    short: 'sunrise',
    people: { asel: 'caseworker', ruslan: 'caseworker', dina: 'supervisor', pavel: 'supervisor' },
  },
  {
    kind: 'ngo',
    name: 'Common Home',
    short: 'common-home',
    people: { zarina: 'caseworker', anton: 'caseworker', kamila: 'supervisor', igor: 'supervisor' },
  },
  {
    kind: 'oversight',
    name: 'Personal Data Oversight',
    short: 'oversight',
    people: { samal: 'auditor', rustem: 'auditor' },
  },
  {
    kind: 'operator',
    name: 'Operator of this installation',
    short: 'operator',
    people: { admin: 'administrator', deputy: 'administrator' },
  },
]

/** The account with a second factor. Nothing in the documents needs it: each step has another supervisor. */
const withFactor = 'yerlan@committee.example'

const fileOf = (dataDir: string) => join(dataDir, 'demonstration.json')
const planOf = (path: string) => `${path}.new`

/** Returns the demonstration accounts; undefined when there are none. Throws a {@link StartError} for a damaged file. */
export function readDemonstration(dataDir: string): Demonstration | undefined {
  const path = fileOf(dataDir)
  if (!existsSync(path)) return undefined
  const demonstration = parsed(path)
  if (!demonstration)
    throw new StartError(
      `${path} is damaged: restore it from a copy, or remove it to run without demonstration accounts`,
    )
  return demonstration
}

type Plan = { demonstration: Demonstration; isOnDisk: boolean; passwordHash: string }

/**
 * Plans the demonstration accounts, unless they exist: all have one password, so that a newcomer has one thing to copy.
 * Hashing it takes .3 s of another core: call this before PostgreSQL starts.
 */
export async function planDemonstration(dataDir: string): Promise<Plan | undefined> {
  const path = fileOf(dataDir)
  if (existsSync(path)) return undefined
  const unfinished = existsSync(planOf(path)) ? parsed(planOf(path)) : undefined
  const demonstration = unfinished ?? planned(randomBytes(15).toString('base64url'))
  const passwordHash = await hashPassword(demonstration[0]?.password ?? '')
  return { demonstration, isOnDisk: unfinished !== undefined, passwordHash }
}

/**
 * Creates the planned accounts once, as owner. Writes the plan to disk before the database, so that the next start completes
 * what a killed start left. Creates none where there are organisations already: then somebody has removed the file on purpose.
 */
export async function writeDemonstration(
  dataDir: string,
  owner: Endpoint,
  plan: Plan | undefined,
  readKeys: () => Keys,
): Promise<void> {
  if (!plan || (!plan.isOnDisk && (await hasRows(owner, 'organisations')))) return
  const path = fileOf(dataDir)
  const { demonstration, isOnDisk, passwordHash } = plan
  if (!isOnDisk) writeFileSync(planOf(path), `${JSON.stringify(demonstration, null, 2)}\n`, { mode: 0o600 })
  await seedPlan(owner, demonstration, passwordHash, readKeys())
  renameSync(planOf(path), path)
}

/** Returns the content of the file; undefined when it was not written to its end. */
function parsed(path: string): Demonstration | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Demonstration
  } catch {
    return undefined
  }
}

export async function seedDemonstration(
  owner: Endpoint,
  password: string,
  passwordHash: string,
  keys: Keys,
): Promise<Demonstration> {
  const demonstration = planned(password)
  await seedPlan(owner, demonstration, passwordHash, keys)
  return demonstration
}

const planned = (password: string): Demonstration =>
  offices.flatMap(({ kind, name, short, people }) => {
    const organisation = { id: randomUUID(), name, kind }
    return Object.entries(people).map(([given, role]) => {
      const email = `${given}@${short}.example`
      const otpSecret = email === withFactor ? { otpSecret: newOtpSecret() } : {}
      return { id: randomUUID(), email, password, role, organisation, ...otpSecret }
    })
  })

/** Inserts the plan; may run again with the same one. */
async function seedPlan(
  owner: Endpoint,
  demonstration: Demonstration,
  passwordHash: string,
  keys: Keys,
): Promise<void> {
  const ids = new Map(demonstration.map(({ organisation: { name, id } }) => [name, id]))
  const committee = demonstration.find(({ organisation }) => organisation.kind === 'committee')?.organisation.id
  await seed(owner, [
    {
      table: 'organisations',
      rows: offices.map(({ kind, name, short }) => ({
        id: ids.get(name),
        kind,
        name,
        short_name: short,
        parent_id: kind === 'division' ? committee : null,
        status: 'active',
        version: 1,
      })),
    },
    {
      table: 'coverage',
      rows: offices.flatMap(({ name, regions = [] }) =>
        regions.map(region_code => ({ organisation_id: ids.get(name), region_code })),
      ),
    },
    {
      table: 'accounts',
      rows: demonstration.map(({ id, organisation, email, role }) => ({
        id,
        organisation_id: organisation.id,
        organisation_kind: organisation.kind,
        email,
        name: email.charAt(0).toUpperCase() + email.slice(1, email.indexOf('@')),
        roles: [role],
        status: 'active',
        password_hash: passwordHash,
        version: 1,
      })),
    },
    {
      table: 'second_factors',
      rows: demonstration.flatMap(({ id, otpSecret }) =>
        otpSecret
          ? [{ account_id: id, secret: `\\x${sealOtpSecret(keys, id, otpSecret).toString('hex')}`, last_step: 0 }]
          : [],
      ),
    },
  ])
}
