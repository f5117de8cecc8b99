import { createSecretKey, type KeyObject, randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Epochs } from './epochs.ts'
import { bytesOf, idOf } from './id.ts'
import { open, seal } from './seal.ts'

/**
 * A sealed value as the database returns it: its content, and its data key, wrapped by the key of its epoch. Base64.
 */
export const Sealed = z.object({ content: z.string(), key: z.string(), epoch: z.int() })
export type Sealed = z.infer<typeof Sealed>

const idLength = 16

/** The key of the texts of one organisation about one case. Its id is the prefix of everything that it seals. */
export class DataKey {
  readonly id: string
  readonly #key: KeyObject

  private constructor(id: string, key: Uint8Array) {
    this.id = id
    this.#key = createSecretKey(key)
  }

  static make = (): DataKey => new DataKey(randomUUID(), randomBytes(32))

  /** Throws if the key was wrapped for another id or by another epoch, or was changed since. */
  static unwrap(epochs: Epochs, { id, epoch, wrapped }: { id: string; epoch: number; wrapped: Uint8Array }): DataKey {
    return new DataKey(id, open(epochs.get(epoch), wrapping(id, epoch), wrapped))
  }

  /** Wraps the key by the key of the newest epoch. */
  wrap(epochs: Epochs): { epoch: number; wrapped: Buffer } {
    const { epoch, key } = epochs.newest()
    return { epoch, wrapped: seal(key, wrapping(this.id, epoch), this.#key.export()) }
  }

  /** Seals the value, as JSON, for `place`: table, column, row and version. */
  seal = (place: string, value: unknown): Buffer =>
    Buffer.concat([bytesOf(this.id), seal(this.#key, place, Buffer.from(JSON.stringify(value)))])

  open(place: string, sealed: Uint8Array): unknown {
    return JSON.parse(open(this.#key, place, sealed.subarray(idLength)).toString())
  }
}

/** Returns the id of the data key that sealed the value. */
export const keyOf = (sealed: Buffer): string => idOf(sealed.subarray(0, idLength))

const wrapping = (id: string, epoch: number) => `data_keys.wrapped/${id}/${epoch}`
