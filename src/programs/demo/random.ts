/**
 * Random numbers, the same for the same seed on every machine: sfc32, the "small fast counter" of Chris Doty-Humphrey's
 * PractRand (public domain). For invented data only, never for secrets.
 */
export class Random {
  #a: number
  #b: number
  #c = 0
  #counter = 1

  /** Any integer; all of its 53 bits count. */
  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    // Neighbouring seeds start with similar numbers; PractRand too mixes 15 rounds before the first number.
    for (let round = 0; round < 15; round++) this.next()
  }

  /** At least 0, below 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<const T>(list: readonly T[]): T {
    if (!list.length) throw new RangeError('Nothing to pick from')
    return list[this.int(0, list.length - 1)] as T
  }

  /** Weights need not add up to anything; a value of weight 0 is never drawn. */
  weighted<T>(weights: readonly (readonly [T, number])[]): T {
    const possible = weights.filter(([, weight]) => weight > 0)
    let left = this.next() * possible.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [value, weight] of possible) {
      left -= weight
      if (left < 0) return value
    }
    // Rounding may leave a remainder of the last weight.
    return this.pick(possible.slice(-1))[0]
  }

  /** As `weighted`, for the keys of an object. */
  key<K extends string>(weights: Readonly<Record<K, number>>): K {
    return this.weighted(Object.entries(weights) as [K, number][])
  }

  /** A new list in another order (Fisher and Yates). */
  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.int(0, last)
      ;[shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T]
    }
    return shuffled
  }
}
