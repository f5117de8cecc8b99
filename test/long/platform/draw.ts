import fc, { type GeneratorValue } from 'fast-check'

/** Random choices; the seed of fast-check repeats them. */
export type Draw = ReturnType<typeof drawing>

export function drawing(generate: GeneratorValue) {
  const below = (limit: number) => generate(fc.nat, { max: Math.max(0, limit - 1) })
  const chance = (share: number) => below(1_000) < share * 1_000
  /** Picks one of the values; there is at least one. */
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T
  const matching = (pattern: string) => generate(fc.stringMatching, new RegExp(pattern))
  /** A UUID, mostly of a version that exists. */
  const uuid = () => generate(fc.uuid, chance(0.9) ? { version: [4, 7] } : {})
  return { below, chance, pick, matching, uuid }
}
