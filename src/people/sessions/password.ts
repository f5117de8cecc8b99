import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { z } from 'zod'
import { invalid, Problem } from '../../problem.ts'

const derive = promisify(argon2)

/** 64 MiB, three passes: the second recommended option of OWASP and of RFC 9106. */
const cost = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 }

/** Runs at most two hashes at a time: each takes a core and 64 MiB. A longer queue would take longer than clients wait. */
let free = 2
const longest = 20
const waiting: (() => void)[] = []
async function inTurn<T>(work: () => Promise<T>, gone: Gone): Promise<T> {
  if (free > 0) free--
  else if (waiting.length >= longest) throw new Problem('unavailable', { retryAfter: 5 })
  else await new Promise<void>(resolve => waiting.push(resolve))
  try {
    if (gone()) throw new Problem('unavailable')
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
}

/** Whether the client has closed its connection. */
type Gone = () => boolean

const hashed = (password: string, nonce: Buffer, gone: Gone, { memory, passes, parallelism, tagLength } = cost) =>
  inTurn(
    () => derive('argon2id', { message: password.normalize('NFKC'), nonce, memory, passes, parallelism, tagLength }),
    gone,
  )

const unpadded = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

/** Returns the hash of the password as a PHC string (argon2id). */
export async function hashPassword(password: string, gone: Gone = () => false): Promise<string> {
  const salt = randomBytes(16)
  const { memory, passes, parallelism } = cost
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(await hashed(password, salt, gone))}`
}

const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/

/** Compared when the account does not exist, so that the answer takes the same time. */
const decoy = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(Buffer.alloc(16))}$${unpadded(Buffer.alloc(32))}`

export async function verifyPassword(
  password: string,
  hash: string | null | undefined,
  gone: Gone = () => false,
): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', tag = ''] = phc.exec(hash ?? decoy) ?? phc.exec(decoy) ?? []
  const expected = Buffer.from(tag, 'base64')
  const given = await hashed(password, Buffer.from(salt, 'base64'), gone, {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length,
  })
  return timingSafeEqual(Buffer.from(given), expected) && hash != null
}

/** NIST 800-63B-4: at least 15 characters. {@link requireStrong} refuses those that are easy to guess all the same. */
export const NewPassword = z.string().min(15, 'At least 15 characters').max(200, 'At most 200 characters')

/** Guesses that a password must withstand: more than an attacker can try who has stolen its hash (zxcvbn, score 4). */
const enough = 1e10

/**
 * Refuses a password that is made of common passwords, names, patterns of the keyboard, dates or repetitions. Takes some
 * milliseconds, so it runs for callers who have shown a code or a password only.
 */
export async function requireStrong(password: string, pointer: string): Promise<void> {
  estimator ??= makeEstimator()
  const { guesses } = (await estimator).check(password)
  if (guesses < enough)
    throw invalid([{ pointer, detail: 'Expected a password that is harder to guess, such as five words' }])
}

/** Loaded at the first use: its dictionaries take a quarter of a second. */
let estimator: ReturnType<typeof makeEstimator> | undefined
async function makeEstimator() {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ])
  return new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
}
