/** The length of the long tests: LENGTH=1 in CI; LENGTH=10, started manually, before an issue is closed. */
const length = Number(process.env.LENGTH ?? 1)

/** Scales a count for length 1 to the length of this run. */
export const scaled = (count: number): number => Math.max(1, Math.round(count * length))

/** Returns a count between `short`, for length 1, and `full`, for length 10. */
export const between = (short: number, full: number): number =>
  Math.max(1, Math.round(length < 1 ? short * length : short + ((full - short) * (length - 1)) / 9))

/** Options of tap without a time limit: {@link whileMoving} ends these tests. */
export const unhurried = { timeout: 0 }

/** Milliseconds without a step after which a test is stuck. */
const patience = 120_000

/**
 * Runs work that calls `moved` at each step; throws if there is no step for two minutes. Work that makes progress may take
 * any time, so that a slow machine does not fail the test. The function that was last passed to `moved` describes where the
 * work is stuck.
 */
export async function whileMoving<T>(work: (moved: (where?: () => unknown) => void) => Promise<T>): Promise<T> {
  const stuck = Promise.withResolvers<never>()
  let describe: (() => unknown) | undefined
  const giveUp = async () =>
    stuck.reject(new Error(`no progress for ${patience / 1000} s: ${JSON.stringify(await describe?.())}`))
  let timer = setTimeout(giveUp, patience)
  const moved = (where?: () => unknown) => {
    describe = where
    clearTimeout(timer)
    timer = setTimeout(giveUp, patience)
  }
  try {
    return await Promise.race([work(moved), stuck.promise])
  } finally {
    clearTimeout(timer)
  }
}
