import type { KeyObject } from 'node:crypto'

/** Keys that wrap data keys, by the number of their epoch. */
export type EpochKeys = ReadonlyMap<number, KeyObject>

/**
 * The current epochs of the key file. The operator may rotate or destroy an epoch while the service runs: `reread` returns the
 * new content of the file, or undefined if it has not changed since it was last read.
 */
export class Epochs {
  #keys: EpochKeys
  readonly #reread: () => EpochKeys | undefined

  constructor(keys: EpochKeys, reread: () => EpochKeys | undefined) {
    this.#keys = keys
    this.#reread = reread
  }

  get(epoch: number): KeyObject {
    const key = this.#keys.get(epoch) ?? this.#current().get(epoch)
    if (!key) throw new Error(`the key file has no epoch ${epoch}`)
    return key
  }

  /** Returns the newest epoch, which wraps new data keys. */
  newest(): { epoch: number; key: KeyObject } {
    const epoch = Math.max(...this.#current().keys())
    return { epoch, key: this.get(epoch) }
  }

  #current(): EpochKeys {
    try {
      this.#keys = this.#reread() ?? this.#keys
    } catch {} // a file that is still being copied: the keys in memory go on
    return this.#keys
  }
}
