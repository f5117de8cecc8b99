// Runs the service in a process whose time of day is SHIFT milliseconds ahead of that of the machine.
import crypto, { randomUUIDv7 } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const shift = Number(process.env.SHIFT)
const Real = Date
globalThis.Date = class extends Real {
  constructor(...given: [number]) {
    super(...(given.length ? given : ([Real.now() + shift] as [number])))
  }
  static override now = () => Real.now() + shift
} as DateConstructor
const newId = randomUUIDv7
crypto.randomUUIDv7 = () => {
  const instant = (Real.now() + shift).toString(16).padStart(12, '0')
  return `${instant.slice(0, 8)}-${instant.slice(8)}${newId().slice(13)}` as ReturnType<typeof newId>
}
syncBuiltinESMExports()

await import('../../src/programs/server.ts')
