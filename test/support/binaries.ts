import { execFileSync } from 'node:child_process'
import { binaries, unprivileged } from '../../src/platform/embedded/binaries.ts'

export const { initdb, pg_ctl } = await binaries()

export const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { ...unprivileged, cwd: '/', stdio: 'ignore' })

export { unprivileged }
