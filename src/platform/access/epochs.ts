import type { KeyObject } from 'node:crypto'

/** Keys that data keys are wrapped by, each by the number of its epoch. */
export type EpochKeys = ReadonlyMap<number, KeyObject>

/**
 * The epochs of the key file as it stands. An operator may rotate or destroy one beside the service at work: `reread` gives
 * what the file holds by now, or nothing when it is the one that was read last.
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
    if (!key) throw new Error('a data key of an epoch that the key file does not hold')
    return key
  }

  /** The newest one, which wraps. */
  newest(): { epoch: number; key: KeyObject } {
    const epoch = Math.max(...this.#current().keys())
    return { epoch, key: this.get(epoch) }
  }

  #current(): EpochKeys {
    this.#keys = this.#reread() ?? this.#keys
    return this.#keys
  }
}
