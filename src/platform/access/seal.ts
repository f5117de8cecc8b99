import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'

/** The first byte of what is sealed: which of these formats it has. */
const format = 1
const algorithm = 'aes-256-gcm'
const [nonceLength, tagLength] = [12, 16]
/** Without its length given, Node accepts a tag of four bytes. */
const options = { authTagLength: tagLength }

/** AES-256-GCM: format, nonce, ciphertext, tag. It opens again only in its `context`, the place where it stands. */
export function seal(key: KeyObject, context: string, content: Uint8Array): Buffer {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv(algorithm, key, nonce, options).setAAD(Buffer.from(context))
  return Buffer.concat([Buffer.of(format), nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()])
}

/** Throws when it was sealed with another key, for another place, or changed since. */
export function open(key: KeyObject, context: string, sealed: Uint8Array): Buffer {
  if (sealed[0] !== format || sealed.length < 1 + nonceLength + tagLength) throw new Error('not a sealed text')
  const end = sealed.length - tagLength
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(1, 1 + nonceLength), options)
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(end))
  return Buffer.concat([decipher.update(sealed.subarray(1 + nonceLength, end)), decipher.final()])
}
