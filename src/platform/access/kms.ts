import { spawnSync } from 'node:child_process'
import { type Config, StartError } from '../../config.ts'

/** Wraps and unwraps epoch keys (base64), so that the key file never holds them in clear. */
export type Kms = { wrap(key: string): string; unwrap(wrapped: string): string }

/** Returns the KMS that the operator's commands call; undefined without them: the key file then holds the keys in clear. */
export function kmsOf({ keyWrap, keyUnwrap }: Pick<Config, 'keyWrap' | 'keyUnwrap'>): Kms | undefined {
  if (!keyWrap !== !keyUnwrap)
    throw new StartError('KEY_WRAP and KEY_UNWRAP must be set together: one of them is not set')
  return keyWrap && keyUnwrap
    ? { wrap: key => answerOf('KEY_WRAP', keyWrap, key), unwrap: wrapped => answerOf('KEY_UNWRAP', keyUnwrap, wrapped) }
    : undefined
}

/** Runs a command with this input and returns its output. The error for a failure contains neither. */
function answerOf(variable: string, command: string, input: string): string {
  const { status, stdout } = spawnSync('sh', ['-c', command], {
    input,
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: 30_000,
  })
  if (status === 0) return stdout.toString().trim()
  throw new StartError(`${variable} failed${status ? ` with exit code ${status}` : ''}: run its command to see why`)
}
