// Somebody who has all reports of a campaign, and knows how they are made.

export type Told = { dimension: string; map: string; time: number; key: string; registered: number; documented: number }
export type Measure = 'registered' | 'documented'
export const least = 5

/** What a cell, one group at one time, may hold; between these bounds lies the truth. */
type Bounds = { low: number; high: number }
/** Which times come before which: what is counted at the first is counted at the second. */
export type Order = readonly (readonly [before: number, after: number])[]

/**
 * The bounds of each group, named with its map, that follow from the reports on one dimension: a named number holds up to
 * `hidden` more than it says, and no group more than is pooled beside what is named of it; groups add up to the totals, and
 * regions to what they once were. Groups that only grow do so from time to time. `families`: what was ever one.
 */
export function derive(
  told: readonly Told[],
  totals: readonly number[],
  families: ReadonlyMap<string, readonly string[]>,
  { measure, order, grows }: { measure: Measure; order: Order; grows: (key: string) => boolean },
): Map<string, Bounds[]> {
  const hidden = measure === 'registered' ? 2 * least : least
  const cells = (map: string, keys: Iterable<string>) =>
    [...keys].map(key => ({ map, key, bounds: totals.map((total): Bounds => ({ low: 0, high: total })) }))
  const whole = cells('joined', families.keys())
  const parts = cells('recorded', [...families.values()].flat())
  const all = [...whole, ...parts]
  let moved = true
  const narrow = (bound: Bounds | undefined, low: number, high: number) => {
    if (!bound || (low <= bound.low && high >= bound.high)) return
    Object.assign(bound, { low: Math.max(low, bound.low), high: Math.min(high, bound.high) })
    moved = true
  }
  /** A whole and its parts: each is bounded by the others. */
  const add = (of: Bounds | undefined, them: readonly Bounds[]) => {
    const [low, high] = [them.reduce((sum, one) => sum + one.low, 0), them.reduce((sum, one) => sum + one.high, 0)]
    narrow(of, low, high)
    if (of) for (const one of them) narrow(one, of.low - high + one.high, of.high - low + one.low)
  }
  const atTime = (some: typeof all, time: number) => some.flatMap(({ bounds }) => bounds[time] ?? [])

  for (const { map, key, bounds } of all)
    for (const [time, bound] of bounds.entries()) {
      const groups = told.filter(group => group.time === time && group.map === map)
      if (!groups.length) continue
      const pooled = groups.find(group => group.key === 'other')?.[measure] ?? 0
      const named = (key !== 'other' && groups.find(group => group.key === key)?.[measure]) || 0
      narrow(bound, named, named + Math.min(named ? hidden : pooled, pooled))
    }
  while (moved) {
    moved = false
    for (const [time, total] of totals.entries()) {
      add({ low: total, high: total }, atTime(whole, time))
      for (const { key, bounds } of whole)
        add(
          bounds[time],
          atTime(
            parts.filter(part => families.get(key)?.includes(part.key)),
            time,
          ),
        )
    }
    for (const { bounds } of all.filter(({ key }) => grows(key)))
      for (const [before, after] of order) {
        const [first, then] = [bounds[before], bounds[after]]
        if (!first || !then) continue
        narrow(then, first.low, then.high)
        narrow(first, first.low, then.high)
      }
  }
  return new Map(all.map(({ map, key, bounds }) => [`${map} ${key}`, bounds]))
}
