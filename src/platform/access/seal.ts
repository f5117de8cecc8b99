import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'

/** The first byte of a sealed value: its format. */
const format = 1
const algorithm = 'aes-256-gcm'
const [nonceLength, tagLength] = [12, 16]
/** Without this option Node accepts a tag of four bytes. */
const options = { authTagLength: tagLength }

/** Seals with AES-256-GCM; returns format, nonce, ciphertext and tag. It opens only with the same `context`, its place. */
export function seal(key: KeyObject, context: string, content: Uint8Array): Buffer {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv(algorithm, key, nonce, options).setAAD(Buffer.from(context))
  return Buffer.concat([Buffer.of(format), nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()])
}

/** Opens a sealed value. Throws when it was sealed with another key or for another place, or was changed. */
export function open(key: KeyObject, context: string, sealed: Uint8Array): Buffer {
  if (sealed[0] !== format || sealed.length < 1 + nonceLength + tagLength) throw new Error('not a sealed text')
  const end = sealed.length - tagLength
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(1, 1 + nonceLength), options)
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(end))
  return Buffer.concat([decipher.update(sealed.subarray(1 + nonceLength, end)), decipher.final()])
}
