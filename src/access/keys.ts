import { createHmac, createPublicKey, generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { StartError } from '../config.ts'

const KeyFile = z.strictObject({
  signing: z.array(z.strictObject({ kid: z.string().min(1), privateKey: z.string() })).min(1),
  hashing: z.base64().refine(text => Buffer.from(text, 'base64').length === 32),
})

type HashPurpose = 'external-id' | 'fingerprint' | 'guess' | 'document-number' | 'iin' | 'name'

/** What the key file holds, ready for use: the first signing key signs, all of them verify. */
export type Keys = {
  signing: { kid: string; privateKey: string; publicKey: string }[]
  /** A keyed hash (HMAC-SHA-256, 32 bytes) of what must be found again but not read; `purpose` keeps uses apart. */
  hash(purpose: HashPurpose, text: string | Uint8Array): Buffer
}

/** New keys, as the text of a key file. */
function newKeys(): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const content: z.infer<typeof KeyFile> = {
    signing: [
      {
        kid: randomBytes(6).toString('hex'),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
    ],
    hashing: randomBytes(32).toString('base64'),
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

/** Makes a key file that only its owner may read. Fails if it exists. */
export const createKeyFile = (path: string): void => writeFileSync(path, newKeys(), { mode: 0o600, flag: 'wx' })

/** Keys that are kept nowhere. */
export const passingKeys = (): Keys => openKeys(newKeys(), 'in memory')

/** Reads the key file; throws a {@link StartError} when it is missing, readable by others, or not a key file. */
export function readKeys(path: string): Keys {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined)
    throw new StartError(`KEY_FILE ${path} is not there: npm run admin -- create-key-file makes one`)
  if (mode & 0o077) throw new StartError(`KEY_FILE ${path} can be read by others: chmod 600 ${path}`)
  return openKeys(readFileSync(path, 'utf8'), path)
}

function openKeys(text: string, path: string): Keys {
  try {
    const { signing, hashing } = KeyFile.parse(JSON.parse(text))
    const secret = Buffer.from(hashing, 'base64')
    const derived = new Map<string, Buffer>()
    const keyFor = (purpose: string) => {
      const key = derived.get(purpose) ?? Buffer.from(hkdfSync('sha256', secret, '', purpose, 32))
      derived.set(purpose, key)
      return key
    }
    return {
      signing: signing.map(({ kid, privateKey }) => ({ kid, privateKey, publicKey: publicKeyOf(privateKey) })),
      hash: (purpose, text) => createHmac('sha256', keyFor(purpose)).update(text).digest(),
    }
  } catch (cause) {
    throw new StartError(`KEY_FILE ${path} is not a key file of this service`, { cause })
  }
}

const publicKeyOf = (privateKey: string) =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
