import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'

const derive = promisify(argon2)

/** 64 MiB, three passes: the second recommended option of OWASP and of RFC 9106. */
const cost = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 }

/** Runs at most two hashes at a time: each takes a core and 64 MiB. */
let free = 2
const waiting: (() => void)[] = []
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (free > 0) free--
  else await new Promise<void>(resolve => waiting.push(resolve))
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
}

const hashed = (password: string, nonce: Buffer, { memory, passes, parallelism, tagLength } = cost) =>
  inTurn(() =>
    derive('argon2id', { message: password.normalize('NFKC'), nonce, memory, passes, parallelism, tagLength }),
  )

const unpadded = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

/** Returns the hash of the password as a PHC string (argon2id). */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const { memory, passes, parallelism } = cost
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(await hashed(password, salt))}`
}

const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/

/** Compared when the account does not exist, so that the answer takes the same time. */
const decoy = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(Buffer.alloc(16))}$${unpadded(Buffer.alloc(32))}`

export async function verifyPassword(password: string, hash: string | null | undefined): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', tag = ''] = phc.exec(hash ?? decoy) ?? phc.exec(decoy) ?? []
  const expected = Buffer.from(tag, 'base64')
  const given = await hashed(password, Buffer.from(salt, 'base64'), {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length,
  })
  return timingSafeEqual(Buffer.from(given), expected) && hash != null
}

/** Long enough, but among the first that attackers try (from public lists of leaked passwords, 15 letters and more). */
const blocked = [
  'passwordpassword',
  '123456789012345',
  '1234567890123456',
  'qwertyuiopasdfgh',
  'iloveyouiloveyou',
  'qwertyuiop123456',
]

/** NIST 800-63B-4: at least 15 characters, no well-known password, no repetition of one short pattern. */
export const NewPassword = z
  .string()
  .min(15, 'At least 15 characters')
  .max(200, 'At most 200 characters')
  .refine(password => !/^(.{1,4})\1+.{0,3}$/u.test(password), 'A repeated pattern is too easy to guess')
  .refine(password => !blocked.includes(password.toLowerCase()), 'This password is one of the first that attackers try')
