// Rules about several fields together. The API and the import refuse by the same rules. Statements of people may contradict
// each other, and a paper may be wrong: such values are stored, and the reply has a notice.
import type { Fault } from '../../problem.ts'
import type { NewDocument } from '../events/contract.ts'
import { earliestBirth, latestBirth } from './birth.ts'
import type { Notice } from './contract.ts'
import type { Birth, Identity } from './identity.ts'
import { hasOtherBirth, hasOtherSex } from './iin.ts'

/** `at` returns the pointers, within the document, to the fields that break the rule. */
type Refusal<Of> = { detail: string; at: (of: Of) => readonly string[] }
type Noticed<Of> = { code: string; at: (of: Of) => readonly string[] }

const only = (pointer: string, holds: boolean) => (holds ? [pointer] : [])
const each = <T>(items: readonly T[] = [], pointer: (item: T, i: number) => string, holds: (item: T) => boolean) =>
  items.flatMap((item, i) => only(pointer(item, i), holds(item)))

/** The field of a birth that has the earliest day. */
const fieldOf: Record<Birth['precision'], string> = {
  day: '/date',
  month: '/month',
  year: '/year',
  range: '/from',
  unknown: '',
}
/** Whether a birth is certainly after this day. */
const isAfter = (birth: Birth | undefined, day: string | undefined): boolean =>
  birth !== undefined && day !== undefined && (earliestBirth(birth) ?? '') > day

export const identityRefusals: readonly Refusal<{ identity: Identity; registeredOn: string }>[] = [
  {
    detail: 'Expected a birth on or before the day of registration',
    at: ({ identity: { birth }, registeredOn }) =>
      only(`/birth${fieldOf[birth.precision]}`, isAfter(birth, registeredOn)),
  },
  {
    detail: 'Expected the birth of a parent on or before the day of registration',
    at: ({ identity: { parents }, registeredOn }) =>
      each(
        parents,
        ({ birth }, i) => `/parents/${i}/birth${birth ? fieldOf[birth.precision] : ''}`,
        ({ birth }) => isAfter(birth, registeredOn),
      ),
  },
]

export const identityNotices: readonly Noticed<Identity>[] = [
  {
    code: 'iin_of_other_birth',
    at: ({ iin, birth }) => only('/iin', iin !== undefined && hasOtherBirth(iin, birth)),
  },
  {
    code: 'iin_of_other_sex',
    at: ({ iin, sex }) => only('/iin', iin !== undefined && hasOtherSex(iin, sex)),
  },
  {
    code: 'expires_before_issue',
    at: ({ documents }) =>
      each(
        documents,
        (_, i) => `/documents/${i}/expiresOn`,
        ({ issuedOn, expiresOn }) => issuedOn !== undefined && expiresOn !== undefined && expiresOn < issuedOn,
      ),
  },
  {
    code: 'issued_before_birth',
    at: ({ birth, documents }) =>
      each(
        documents,
        (_, i) => `/documents/${i}/issuedOn`,
        ({ issuedOn }) => isAfter(birth, issuedOn),
      ),
  },
  {
    code: 'older_than_parent',
    at: ({ birth, parents }) =>
      each(
        parents,
        (_, i) => `/parents/${i}/birth`,
        parent => isAfter(parent.birth, latestBirth(birth)),
      ),
  },
]

export const documentRefusals: readonly Refusal<{ document: NewDocument; identity: Identity }>[] = [
  {
    detail: 'Expected a day on or after the birth of the person',
    at: ({ document, identity }) => only('/issuedOn', isAfter(identity.birth, document.issuedOn)),
  },
]

type Numbered = { iin?: string | null | undefined }
export const documentNotices: readonly Noticed<{ document: Numbered; identity: Identity }>[] = [
  {
    code: 'iin_of_other_birth',
    at: ({ document: { iin }, identity }) => only('/iin', iin != null && hasOtherBirth(iin, identity.birth)),
  },
  {
    code: 'iin_of_other_sex',
    at: ({ document: { iin }, identity }) => only('/iin', iin != null && hasOtherSex(iin, identity.sex)),
  },
]

export const relationNotices: readonly Noticed<{ child: Identity; parent: Identity }>[] = [
  {
    code: 'older_than_parent',
    at: ({ child, parent }) => only('/caseId', isAfter(parent.birth, latestBirth(child.birth))),
  },
]

/** Returns the faults of a document by these rules. `place` is the pointer to it in the request. */
export const faultsBy = <Of>(rules: readonly Refusal<Of>[], of: Of, place = '#'): Fault[] =>
  rules.flatMap(({ detail, at }) => at(of).map(pointer => ({ pointer: place + pointer, detail })))

/** Returns what these rules notice in a document. `place` is the pointer to it. */
export const noticesBy = <Of>(rules: readonly Noticed<Of>[], of: Of, place = '#'): Notice[] =>
  rules.flatMap(({ code, at }) => at(of).map(pointer => ({ code, pointer: place + pointer })))
