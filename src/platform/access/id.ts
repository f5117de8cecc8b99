import { randomUUIDv7 } from 'node:crypto'

/** Returns a new id (UUID version 7) of this instant, in milliseconds. */
export const idAt = (instant: number): string =>
  Math.floor(instant).toString(16).padStart(12, '0').replace(/^.{8}/, '$&-') + randomUUIDv7().slice(13)

/** Returns the sixteen bytes of an id (UUID). */
export const bytesOf = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex')

/** Returns the id (UUID) with these sixteen bytes. */
export const idOf = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
