import { ifMatch, type Someone } from '../support/service.ts'

/**
 * Who may read a canary: the owner; only the owner's assignee and supervisors; or the owner, its committee and the
 * handler.
 */
export type Audience = 'owner' | 'needToKnow' | 'authority'
type Canary = { number: string; audience: Audience }
export type Planted = { owner: Someone; id: string; canaries: Canary[]; work: Record<string, string[]> }

/** With a check digit each of them is an IIN of somebody born on 1948-10-12. */
let next = 48_101_230_000
const check = (eleven: string) => {
  const weighed = (weights: number[]) => weights.reduce((sum, weight, i) => sum + weight * Number(eleven[i]), 0) % 11
  const once = weighed([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  return once === 10 ? weighed([3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) : once
}

/** Makes a person with a canary in each text field. */
export function plant() {
  const canaries: Canary[] = []
  const add = (audience: Audience) => {
    const number = String(next++)
    canaries.push({ number, audience })
    return number
  }
  const word = (audience: Audience) => `Құлқан${add(audience)}`
  const iin = () => {
    let number = add('authority')
    while (check(number) === 10) {
      canaries.pop()
      number = add('authority')
    }
    return `${number}${check(number)}`
  }
  const person = {
    identity: {
      names: ['official', 'birth', 'alias', 'as_in_document'].map(kind => ({
        kind,
        family: word('authority'),
        given: word('authority'),
        patronymic: word('authority'),
      })),
      sex: 'female',
      birth: { precision: 'year', year: 1980 },
      birthPlace: { text: word('authority') },
      parents: [
        { relation: 'mother', family: word('authority'), given: word('authority'), patronymic: word('authority') },
      ],
      iin: iin(),
      documents: [{ type: 'other', description: word('authority'), number: word('authority') }],
    },
    contact: {
      phones: [`+${add('owner')}`],
      messengers: [{ service: word('owner'), handle: word('owner') }],
      emails: [`a${add('owner')}@b.example`],
      instructions: word('owner'),
    },
    whereabouts: { addresses: [{ kind: 'residence', text: word('owner') }], workplaces: [{ text: word('owner') }] },
    protection: Object.fromEntries(
      ['health', 'disability', 'trafficking', 'violence', 'detention', 'remarks'].map(field => [
        field,
        word('needToKnow'),
      ]),
    ),
  }
  return { canaries, word, iin, person }
}

/** Writes notes, tasks and flags on a case, with a canary in each text. Returns their ids. */
export async function plantWork(who: Someone, id: string, word: (audience: Audience) => string) {
  const made = async (kind: string, body: object) => {
    const response = await who.post(`/v1/cases/${id}/${kind}`, body)
    if (response.statusCode !== 201) throw new Error(response.body)
    return response.json().id as string
  }
  const work = {
    notes: [
      await made('notes', { text: word('owner') }),
      await made('notes', { text: word('authority'), audience: 'case' }),
      await made('notes', { text: word('owner'), audience: 'case' }),
      await made('notes', { text: word('owner'), audience: 'case' }),
    ],
    tasks: [await made('tasks', { title: word('owner') })],
    flags: [await made('flags', { kind: 'urgent', reason: word('owner') })],
  }
  const [, , rewritten, struck] = work.notes
  for (const response of [
    await who.put(`/v1/notes/${rewritten}`, { text: word('authority') }, ifMatch(1)),
    await who.post(`/v1/notes/${struck}/strike`, { reason: word('owner') }, ifMatch(1)),
    await who.post(`/v1/flags/${work.flags[0]}/clearance`, { reason: word('owner') }, ifMatch(1)),
  ])
    if (response.statusCode !== 200) throw new Error(response.body)
  return work
}
