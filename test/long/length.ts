/** How long the long tests run: LENGTH=1 in CI; LENGTH=10, by hand, before an issue is closed. */
const length = Number(process.env.LENGTH ?? 1)

/** A count at length 1, as a count at the length of this run. */
export const scaled = (count: number): number => Math.max(1, Math.round(count * length))

/** For tap: these tests are not bounded by the clock, see {@link whileMoving}. */
export const unhurried = { timeout: 0 }

/**
 * Fails work that makes no progress for `patience` milliseconds. Work that goes on has all the time it needs, however slow
 * the machine is: it calls `moved` at each step.
 */
export async function whileMoving<T>(work: (moved: () => void) => Promise<T>, patience = 120_000): Promise<T> {
  const stuck = Promise.withResolvers<never>()
  const give = () => stuck.reject(new Error(`no progress for ${patience / 1000} s`))
  let timer = setTimeout(give, patience)
  const moved = () => {
    clearTimeout(timer)
    timer = setTimeout(give, patience)
  }
  try {
    return await Promise.race([work(moved), stuck.promise])
  } finally {
    clearTimeout(timer)
  }
}
