import { spawnSync } from 'node:child_process'
import { type Config, StartError } from '../../config.ts'

/** Keeps the keys of the epochs from lying in the key file: it takes one in, and gives it back out of what it made of it. Base64. */
export type Kms = { wrap(key: string): string; unwrap(wrapped: string): string }

/** The one that the operator names by the commands that ask it; undefined: the key file holds the keys themselves. */
export function kmsOf({ keyWrap, keyUnwrap }: Pick<Config, 'keyWrap' | 'keyUnwrap'>): Kms | undefined {
  if (!keyWrap !== !keyUnwrap) throw new StartError('KEY_WRAP and KEY_UNWRAP go together: one of them is not set')
  return keyWrap && keyUnwrap
    ? { wrap: key => answerOf('KEY_WRAP', keyWrap, key), unwrap: wrapped => answerOf('KEY_UNWRAP', keyUnwrap, wrapped) }
    : undefined
}

/** What a command prints that gets this on its standard input; nothing of either is told when it fails. */
function answerOf(variable: string, command: string, input: string): string {
  const { status, stdout } = spawnSync('sh', ['-c', command], {
    input,
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: 30_000,
  })
  if (status === 0) return stdout.toString().trim()
  throw new StartError(`${variable} fails${status ? ` with ${status}` : ''}: run it by hand to see why`)
}
