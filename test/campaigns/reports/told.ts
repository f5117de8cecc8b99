// The rule for the groups of a whole campaign, written a second time without SQL: docs/figures.md describes it.

/** A fact occurred in month `on`, and came on record before the first instant of month `at`. */
export type Fact = { on: number; at: number }
export type Person = { owner: string; value: string; entered: Fact; documented?: Fact }
export type Rule = { least: number; several: number }
export type Figure = { key: string; registered: number; documented: number }
type Measure = 'registered' | 'documented'
/** Persons who are told at once: at the end of month `on`, as known at the first instant of month `at`. */
type Told = Fact & { measure: Measure; people: readonly Person[] }

const sum = (numbers: Iterable<number>) => [...numbers].reduce((all, one) => all + one, 0)
const by = <T>(items: readonly T[], key: (item: T) => string) => [...Map.groupBy(items, key).values()]
const latest = (facts: readonly Fact[]): Fact => ({
  on: Math.max(...facts.map(({ on }) => on)),
  at: Math.max(...facts.map(({ at }) => at)),
})
/** When a document counts: a person counts as documented when they count at all. */
const documentOf = ({ entered, documented }: Person) => documented && latest([entered, documented])

/** Returns the people in batches of at least `enough`, in the order in which their facts came on record, by month. */
function batches<T extends Fact>(facts: readonly T[], enough: number): T[][] {
  const full: T[][] = []
  let waiting: T[] = []
  for (const month of by(facts, ({ on, at }) => `${at} ${on}`).sort(([a], [b]) =>
    a && b ? a.at - b.at || a.on - b.on : 0,
  )) {
    waiting.push(...month)
    if (waiting.length < enough) continue
    full.push(waiting)
    waiting = []
  }
  return full
}

/** Whether so many are outside the largest group, also without all persons of any one organisation. */
export function tellable(people: readonly Person[], { least }: Rule): boolean {
  const sizes = (key: (person: Person) => string) => by(people, key).map(({ length }) => length)
  const outside = people.length - Math.max(...sizes(({ value }) => value))
  return [0, ...sizes(({ owner }) => owner)].every(own => own === people.length || outside - own >= least)
}

/** Returns what is told, all of it: the registered persons of each part of each batch, and then its documented ones. */
export function toldOf(people: readonly Person[], rule: Rule): Told[] {
  const enough = rule.least * rule.several
  const entries = people.map(person => ({ ...person.entered, person }))
  return batches(entries, enough).flatMap(batch => {
    const times = latest(batch)
    const alone = new Set(
      by(batch, ({ person }) => person.owner).flatMap(([one, ...more]) =>
        one && more.length + 1 >= enough ? one.person.owner : [],
      ),
    )
    return by(batch, ({ person: { owner } }) => (alone.has(owner) ? owner : '')).flatMap(part => {
      const all = part.map(({ person }) => person)
      if (!tellable(all, rule)) return []
      return [{ ...times, measure: 'registered' as const, people: all }, ...documentsOf(all, times, rule)]
    })
  })
}

function documentsOf(part: readonly Person[], times: Fact, rule: Rule): Told[] {
  const enough = rule.least * rule.several
  const facts = part.flatMap(person => {
    const fact = documentOf(person)
    return fact ? { ...fact, person } : []
  })
  const upTo = ({ on, at }: Fact) => facts.filter(one => one.at < at || (one.at === at && one.on <= on)).length
  let rest = part
  let tells = true
  return batches(
    facts.filter(fact => part.length - upTo(fact) >= enough),
    enough,
  ).flatMap(batch => {
    const documented = batch.map(({ person }) => person)
    rest = rest.filter(person => !documented.includes(person))
    // After a batch that cannot be told, no later one of the part is: it could be computed from them.
    tells &&= tellable(documented, rule) && tellable(rest, rule)
    return tells ? { ...latest([times, ...batch]), measure: 'documented' as const, people: documented } : []
  })
}

/** Returns the groups at the end of each month, as known at the first instant of each month: by month and record. */
export function answers(people: readonly Person[], months: number, rule: Rule): Map<string, Figure[]> {
  const told = toldOf(people, rule)
  const all = new Map<string, Figure[]>()
  for (let on = 1; on <= months; on++)
    for (let at = 1; at <= months; at++) {
      const so = ({ on: day, at: record }: Fact) => day <= on && record <= at
      const groups = new Map<string, Figure>()
      for (const { measure, people } of told.filter(so))
        for (const { value: key } of people) {
          const group = groups.get(key) ?? { key, registered: 0, documented: 0 }
          groups.set(key, { ...group, [measure]: group[measure] + 1 })
        }
      const registered = people.filter(({ entered }) => so(entered)).length
      const documented = people.filter(person => so(documentOf(person) ?? { on: Infinity, at: 0 })).length
      all.set(
        `${on} ${at}`,
        pooled(lowered([...groups.values()], registered, documented), registered, documented, rule),
      )
    }
  return all
}

/** Lowers the groups until they are not above the totals, documented and others apart. */
function lowered(groups: readonly Figure[], registered: number, documented: number): Figure[] {
  const [given, open] = [
    sum(groups.map(one => one.documented)),
    sum(groups.map(one => one.registered - one.documented)),
  ]
  const share = (number: number, of: number, most: number) => (of > most ? Math.floor((number * most) / of) : number)
  return groups.map(({ key, ...one }) => {
    const kept = share(one.documented, given, documented)
    return {
      key,
      registered: kept + share(one.registered - one.documented, open, registered - documented),
      documented: kept,
    }
  })
}

/** Rounds the groups down to multiples of `least`; the rest is `other`, which has at least so many. */
function pooled(groups: readonly Figure[], registered: number, documented: number, { least, several }: Rule): Figure[] {
  const odd = (measure: Measure) => groups.filter(group => group[measure] % least).length >= several
  const shown = (number: number, even: boolean) =>
    Math.max(0, number - (number % least) - (number % least || even ? 0 : least))
  const named = (groups.length < several ? [] : groups)
    .map(({ key, ...one }) => {
      const given = shown(one.documented, odd('documented') && odd('registered'))
      return { key, registered: given + shown(one.registered - one.documented, odd('registered')), documented: given }
    })
    .filter(group => group.registered)
    .sort((a, b) => a.registered - b.registered || (a.key < b.key ? -1 : 1))
  const rest = registered - sum(named.map(group => group.registered))
  const kept = rest >= least ? named : named.slice(1)
  const other = {
    key: 'other',
    registered: registered - sum(kept.map(group => group.registered)),
    documented: documented - sum(kept.map(group => group.documented)),
  }
  return [...kept.sort((a, b) => (a.key < b.key ? -1 : 1)), ...(other.registered ? [other] : [])]
}
