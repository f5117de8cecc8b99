import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StartError } from '../../config.ts'

const password = z.string().regex(/^[\w-]{16,}$/)
const Passwords = z.strictObject({ postgres: password, owner: password, app: password })
export type Passwords = z.infer<typeof Passwords>

/** Returns the passwords in passwords.json; creates random ones (mode 0600) if there is no such file. */
export function passwordsIn(dataDir: string): Passwords {
  const path = join(dataDir, 'passwords.json')
  if (!existsSync(path)) {
    const random = () => randomBytes(24).toString('base64url')
    const passwords: Passwords = { postgres: random(), owner: random(), app: random() }
    writeFileSync(`${path}.new`, JSON.stringify(passwords), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  try {
    return Passwords.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new StartError(`DATA_DIR ${dataDir}: passwords.json is damaged: restore it from a copy`, {
      cause,
    })
  }
}
