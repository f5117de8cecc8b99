// A short second implementation of the lifecycle, with which the service is compared.
export type Org = 'sunrise' | 'turkistan' | 'committee' | 'almaty-city'
export type Entry = {
  id: string
  action: string
  from: string
  to: string
  day: number
  org: Org
  says: Record<string, unknown>
}
export type Proposal = {
  id: string
  org: Org
  maker: string
  action: string
  day: number
  says: Record<string, unknown>
  annuls?: string
  /** The entry that had moved the case to its state. */
  on?: string
}
export type Model = {
  id: string
  owner: Org
  version: number
  entries: Entry[]
  annulled: string[]
  proposals: Proposal[]
}

const start = Date.UTC(2021, 2, 4)
export const dateOf = (day: number) => new Date(start + day * 86_400_000).toISOString().slice(0, 10)

const final = ['closed', 'withdrawn']
const needsDocument: Record<string, boolean> = { kz_citizenship_confirmed: true, refused: false, discontinued: false }
export const decisions = ['kz_citizenship_confirmed', 'refused']

export const sees = (c: Model, org: Org) => org === c.owner || (org === 'committee' && c.owner === 'turkistan')

export const validEntries = (c: Model) => c.entries.filter(({ id }) => !c.annulled.includes(id))
const moving = ({ from, to }: Entry) => from !== to

/** Returns the id of the entry that moved the case to its state. */
export const lastMove = (c: Model) => validEntries(c).findLast(moving)?.id ?? ''

/** Folds the entries that are not annulled into the state of the case. */
export function fold(c: Model) {
  const entries = validEntries(c)
  const facts = Object.assign({}, ...entries.map(({ says }) => says))
  const taken = entries.findLastIndex(({ action }) => action === 'take_up')
  const reopened = entries.findLastIndex(({ action }) => action === 'reopen')
  return {
    state: entries.findLast(moving)?.to ?? '',
    outcome: (facts.outcome ?? null) as string | null,
    region: facts.region as string,
    handler: taken > reopened ? c.owner : null,
    day: Math.max(...entries.map(({ day }) => day)),
  }
}

/** Whether an entry can be annulled: the last move, or an entry that moved nothing and is not referenced; never the first. */
export const annullable = (c: Model, entry: Entry) =>
  entry.from !== '' &&
  !['reopen', 'renew_basis'].includes(entry.action) &&
  !validEntries(c).some(
    later => later.id > entry.id && ((moving(entry) && moving(later)) || later.says.document === entry.id),
  )

type Way = 'no' | 'alone' | 'together'

/** Returns whether this organisation may take this step, and with one person or two. */
export function way(c: Model, org: Org, action: string, says: Record<string, unknown> = {}, annuls?: string): Way {
  const { state, outcome, handler } = fold(c)
  const [owns, handles, open] = [org === c.owner, org === handler, !final.includes(state)]
  const reviews = org === 'committee' && (c.owner === 'turkistan' || handler === 'turkistan')
  const needs = outcome === null ? null : needsDocument[outcome]
  const documents = validEntries(c).filter(entry => entry.action === 'record_document')
  const waits = documents.some(({ id }) => !validEntries(c).some(entry => entry.says.document === id))
  const target = validEntries(c).find(({ id }) => id === annuls)
  const rules: Record<string, Way> = {
    amend: owns && open ? 'alone' : 'no',
    start_assessment: owns && state === 'registered' ? 'alone' : 'no',
    take_up: owns && c.owner === 'turkistan' && state === 'assessment' ? 'alone' : 'no',
    decide:
      (handles || reviews) && state === 'verification' && (reviews || says.outcome !== 'refused') ? 'together' : 'no',
    discontinue: handles && ['verification', 'documentation'].includes(state) ? 'together' : 'no',
    open_documentation: handles && state === 'decided' && needs ? 'alone' : 'no',
    record_document: handles && state === 'documentation' ? 'together' : 'no',
    hand_over_document: handles && state === 'documented' && waits ? 'alone' : 'no',
    close: !owns
      ? 'no'
      : state === 'documented'
        ? 'alone'
        : ['registered', 'assessment'].includes(state) || (state === 'decided' && needs === false)
          ? 'together'
          : 'no',
    reopen: owns && state === 'closed' ? 'alone' : 'no',
    renew_basis: owns && open ? 'alone' : 'no',
    withdraw: owns && open ? 'alone' : 'no',
    annul: open && target && target.org === org && annullable(c, target) ? 'together' : 'no',
  }
  return rules[action] ?? 'no'
}

const to: Record<string, string> = {
  start_assessment: 'assessment',
  take_up: 'verification',
  decide: 'decided',
  discontinue: 'decided',
  open_documentation: 'documentation',
  record_document: 'documented',
  close: 'closed',
  reopen: 'assessment',
  withdraw: 'withdrawn',
}

/** Records a step in the model. */
export function happen(c: Model, id: string, step: Omit<Proposal, 'id' | 'maker'>): void {
  const { state } = fold(c)
  c.version++
  if (step.annuls) c.annulled.push(step.annuls)
  else c.entries.push({ ...step, id, from: state, to: to[step.action] ?? state })
}
