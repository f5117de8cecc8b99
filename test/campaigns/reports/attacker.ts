// An attacker who has all reports of a campaign, and knows how they are made.

export type Reported = {
  dimension: string
  map: string
  time: number
  key: string
  registered: number
  documented: number
}
export type Measure = 'registered' | 'documented'
export const least = 5

/** The bounds of the true number of a cell: one group at one time. */
type Bounds = { low: number; high: number }
/** Pairs of times: a case that is counted at the first is counted at the second too. */
export type Order = readonly (readonly [before: number, after: number])[]

/**
 * Returns the bounds of each group, by its map and key, that follow from the reports on one dimension. A reported
 * number is not above the true one. The true number of a group exceeds its reported number at most by what is pooled. Groups add up to the totals, and regions to the regions they once were. Groups for which `grows` is
 * true only grow from one time to a later one. `families`: the regions that were once one.
 */
export function derive(
  reported: readonly Reported[],
  totals: readonly number[],
  families: ReadonlyMap<string, readonly string[]>,
  { measure, order, grows }: { measure: Measure; order: Order; grows: (key: string) => boolean },
): Map<string, Bounds[]> {
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
  /** Narrows the bounds of a whole and its parts, each by the others. */
  const add = (of: Bounds | undefined, them: readonly Bounds[]) => {
    const [low, high] = [them.reduce((sum, one) => sum + one.low, 0), them.reduce((sum, one) => sum + one.high, 0)]
    narrow(of, low, high)
    if (of) for (const one of them) narrow(one, of.low - high + one.high, of.high - low + one.low)
  }
  const atTime = (some: typeof all, time: number) => some.flatMap(({ bounds }) => bounds[time] ?? [])

  for (const { map, key, bounds } of all)
    for (const [time, bound] of bounds.entries()) {
      const groups = reported.filter(group => group.time === time && group.map === map)
      if (!groups.length) continue
      const pooled = groups.find(group => group.key === 'other')?.[measure] ?? 0
      const named = (key !== 'other' && groups.find(group => group.key === key)?.[measure]) || 0
      narrow(bound, named, named + pooled)
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
