import { randomUUIDv7 } from 'node:crypto'
import type { Client } from '../src/programs/demo/client.ts'

const rounds = 2_000

/** Measures the same 404 for another owner's case and for one that never existed: milliseconds, median and 99th percentile. */
export async function measureOracle(client: Client, foreign: readonly string[]) {
  const times = { 'not yours': [] as number[], 'never existed': [] as number[] }
  for (let round = 0; round < rounds; round++) {
    const asked = [
      ['not yours', foreign[round % foreign.length] as string],
      ['never existed', randomUUIDv7()],
    ] as const
    // Each goes first as often as second.
    for (const [which, id] of round % 2 ? asked : asked.toReversed()) {
      const begun = performance.now()
      await client.get(`/v1/cases/${id}`).catch(() => {})
      times[which].push(performance.now() - begun)
    }
  }
  const at = (list: number[], share: number) =>
    Number(list.toSorted((a, b) => a - b)[Math.floor(list.length * share)]?.toFixed(3))
  return Object.fromEntries(
    Object.entries(times).map(([which, list]) => [which, { p50: at(list, 0.5), p99: at(list, 0.99) }]),
  )
}
