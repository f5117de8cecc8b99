import {
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import {
  closeSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { z } from 'zod'
import { StartError, unusable } from '../../config.ts'
import { DataKey, keyOf, type Sealed } from './data-key.ts'
import { type EpochKeys, Epochs } from './epochs.ts'
import type { Kms } from './kms.ts'
import { open, seal } from './seal.ts'

const Secret = z.base64().refine(text => Buffer.from(text, 'base64').length === 32)
const KeyFile = z.strictObject({
  signing: z.array(z.strictObject({ kid: z.string().min(1), privateKey: z.string() })).min(1),
  hashing: Secret,
  epochs: z
    .array(
      z.union([
        z.strictObject({ epoch: z.int().min(1), key: Secret }),
        z.strictObject({ epoch: z.int().min(1), wrapped: z.string().min(1) }), // by a KMS
      ]),
    )
    .default([]),
})

type KeyFile = z.infer<typeof KeyFile>

type HashPurpose =
  | 'external-id'
  | 'fingerprint'
  | 'guess'
  | 'refresh'
  | 'recovery-code'
  | 'document-number'
  | 'iin'
  | 'name'
  | 'address'
  | 'criteria'
  | 'erasure'

/** The content of the key file, ready for use: the first signing key signs, all of them verify. */
export type Keys = {
  signing: { kid: string; privateKey: string; publicKey: string }[]
  /** A keyed hash (HMAC-SHA-256, 32 bytes) of a value that must be found again but not read; hashes differ by `purpose`. */
  hash(purpose: HashPurpose, text: string | Uint8Array): Buffer
  /** Makes a data key and wraps it with the newest epoch. */
  newDataKey(): { dataKey: DataKey; epoch: number; wrapped: Buffer }
  /** Unwraps a stored data key. Throws when its epoch is unknown or it was tampered with. */
  dataKey(kept: { id: string; epoch: number; wrapped: Uint8Array }): DataKey
  /** Wraps a stored data key with the newest epoch. */
  rewrap(kept: { id: string; epoch: number; wrapped: Uint8Array }): { epoch: number; wrapped: Buffer }
  /** Opens a value sealed for `place`. Throws when it was sealed for another place or with another key, or was changed. */
  open(place: string, sealed: Sealed): unknown
  /** Seals the piece of a waiting file at the position `context`; it opens only for the same `context`. */
  sealFile(context: string, content: Uint8Array): Buffer
  openFile(context: string, sealed: Uint8Array): Buffer
  /** The same for a secret of an account. Its key is derived from the hashing key, so it outlives every epoch. */
  sealSecret(context: string, content: Uint8Array): Buffer
  openSecret(context: string, sealed: Uint8Array): Buffer
}

/** Makes new keys and returns the text of their key file. */
function newKeys(kms?: Kms): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  return textOf({
    signing: [
      {
        kid: randomBytes(6).toString('hex'),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
    ],
    hashing: newSecret(),
    epochs: [newEpoch(1, kms)],
  })
}

const textOf = (content: KeyFile) => `${JSON.stringify(content, null, 2)}\n`

const newSecret = () => randomBytes(32).toString('base64')
const newEpoch = (epoch: number, kms: Kms | undefined): KeyFile['epochs'][number] =>
  kms ? { epoch, wrapped: kms.wrap(newSecret()) } : { epoch, key: newSecret() }

const keysOf = ({ epochs }: Pick<KeyFile, 'epochs'>, kms: Kms | undefined): EpochKeys =>
  new Map(epochs.map(kept => [kept.epoch, 'key' in kept ? secretOf(kept.key) : unwrapped(kept.wrapped, kms)]))

function unwrapped(wrapped: string, kms: Kms | undefined): KeyObject {
  if (!kms) throw new StartError('An epoch key in KEY_FILE is wrapped by a KMS: set KEY_WRAP and KEY_UNWRAP')
  const key = Secret.safeParse(kms.unwrap(wrapped))
  if (!key.success) throw new StartError('The output of KEY_UNWRAP is not an epoch key')
  return secretOf(key.data)
}
const secretOf = (text: string) => createSecretKey(Buffer.from(text, 'base64'))

const example = '/etc/qujat/keys.json'

/** Creates a key file that only its owner may read. Throws a {@link StartError} when it exists or cannot be created. */
export function createKeyFile(path: string, kms?: Kms): void {
  try {
    writeFileSync(path, newKeys(kms), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw unusable('KEY_FILE', path, example, error)
  }
}

/** Makes keys that are stored nowhere. */
export const passingKeys = (): Keys => openKeys(newKeys(), 'in memory', { reread: () => undefined })

/** Reads the key file; throws a {@link StartError} when it is missing, readable by others, or not a key file. */
export function readKeys(path: string, kms?: Kms): Keys {
  try {
    const file = statSync(path, { throwIfNoEntry: false })
    if (!file) throw new StartError(`KEY_FILE ${path} does not exist: npm run admin -- create-key-file creates one`)
    if (!file.isFile()) throw new StartError(`KEY_FILE ${path} is not a file, for example KEY_FILE=${example}`)
    let read = file.mtimeMs
    const reread = () => {
      const { mtimeMs } = statSync(path)
      if (mtimeMs === read) return undefined
      const keys = keysOf(contentOf(path), kms)
      read = mtimeMs // only now: a file that is still being copied, or a KMS that is away, is tried again
      return keys
    }
    const keys = openKeys(readFileSync(path, 'utf8'), path, { reread, kms })
    if (!epochsIn(path).length)
      throw new StartError(`KEY_FILE ${path} contains no epoch: npm run admin -- keys rotate adds one`)
    // Checked last, when it is known to be a key file: no message may suggest changing the mode of /etc/passwd.
    if (file.mode & 0o077) throw new StartError(`KEY_FILE ${path} can be read by others: ${cure(file.uid, path)}`)
    return keys
  } catch (error) {
    throw unusable('KEY_FILE', path, example, error)
  }
}

/** Adds an epoch to the key file, which wraps new data keys from now on. Returns its number. */
export function addEpoch(path: string, kms?: Kms): number {
  const content = contentOf(path)
  const epoch = 1 + Math.max(0, ...content.epochs.map(({ epoch }) => epoch))
  replaceKeyFile(path, { ...content, epochs: [...content.epochs, newEpoch(epoch, kms)] })
  return epoch
}

/** Removes an epoch from the key file: what it wrapped can then never be opened again. */
export function removeEpoch(path: string, gone: number): void {
  const content = contentOf(path)
  replaceKeyFile(path, { ...content, epochs: content.epochs.filter(({ epoch }) => epoch !== gone) })
}

/** Returns the epochs of the key file, the oldest first. */
export const epochsIn = (path: string): number[] =>
  contentOf(path)
    .epochs.map(({ epoch }) => epoch)
    .sort((a, b) => a - b)

const contentOf = (path: string): KeyFile => KeyFile.parse(JSON.parse(readFileSync(path, 'utf8')))

/** Writes a new file and renames it over the old one, so that readers never see a partial file. Keeps owner and group. */
function replaceKeyFile(path: string, content: KeyFile): void {
  const { uid, gid } = statSync(path)
  const made = `${path}.new`
  rmSync(made, { force: true })
  const file = openSync(made, 'wx', 0o600)
  writeFileSync(file, textOf(content))
  fchownSync(file, uid, gid)
  fsyncSync(file)
  closeSync(file)
  renameSync(made, path)
}

const cure = (owner: number, path: string) =>
  owner === (process.getuid?.() ?? owner)
    ? `chmod 600 ${path}`
    : 'it belongs to another user, who has to change its mode'

function openKeys(
  text: string,
  path: string,
  { reread, kms }: { reread: () => EpochKeys | undefined; kms?: Kms | undefined },
): Keys {
  try {
    const { signing, hashing, ...file } = KeyFile.parse(JSON.parse(text))
    const epochs = new Epochs(keysOf(file, kms), reread)
    const secret = Buffer.from(hashing, 'base64')
    const derived = new Map<string, KeyObject>() // prepared once: six times faster than raw bytes
    const keyFor = (purpose: string) => {
      const key = derived.get(purpose) ?? createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)))
      derived.set(purpose, key)
      return key
    }
    return {
      signing: signing.map(({ kid, privateKey }) => ({ kid, privateKey, publicKey: publicKeyOf(privateKey) })),
      hash: (purpose, text) => createHmac('sha256', keyFor(purpose)).update(text).digest(),
      newDataKey() {
        const dataKey = DataKey.make()
        return { dataKey, ...dataKey.wrap(epochs) }
      },
      dataKey: kept => DataKey.unwrap(epochs, kept),
      rewrap: kept => DataKey.unwrap(epochs, kept).wrap(epochs),
      open(place, { epoch, ...sealed }) {
        const [content, wrapped] = [Buffer.from(sealed.content, 'base64'), Buffer.from(sealed.key, 'base64')]
        return DataKey.unwrap(epochs, { id: keyOf(content), epoch, wrapped }).open(place, content)
      },
      sealFile: (context, content) => seal(keyFor('waiting-file'), context, content),
      openFile: (context, sealed) => open(keyFor('waiting-file'), context, sealed),
      sealSecret: (context, content) => seal(keyFor('second-factor'), context, content),
      openSecret: (context, sealed) => open(keyFor('second-factor'), context, sealed),
    }
  } catch (cause) {
    if (cause instanceof StartError) throw cause
    throw new StartError(`KEY_FILE ${path} is not a key file of this service`, { cause })
  }
}

const publicKeyOf = (privateKey: string) =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
