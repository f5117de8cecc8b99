import closeWithGrace from 'close-with-grace'
import { type Config, StartError } from '../config.ts'
import { type Service, startService } from './start.ts'

type Start = (config: Config) => Promise<Service>

/** Longer than every step of a stop is given, so that nothing is killed before PostgreSQL has ended. */
const delay = 60_000
/** Sent twice by Ctrl-C under npm, by the terminal and by npm: the second one must not cut the stop short. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs a program that starts the service: a signal or an error stops what there is of it, at any moment. */
export async function untilStopped(program: (start: Start) => Promise<void>): Promise<void> {
  const stopping = new AbortController()
  let service: Promise<Service> | undefined
  const stop = async () => {
    stopping.abort()
    const started = await service?.catch(() => undefined)
    await started?.stop()
  }
  const { close } = closeWithGrace({ delay, skip: [...signals] }, async ({ err }) => {
    if (err) process.stderr.write(`Stopped by an error: ${err.name}\n`)
    await stop()
  })
  let closing: unknown
  for (const signal of signals) process.on(signal, () => (closing ??= close()))
  try {
    await program(config => (service = startService(config, stopping.signal)))
  } catch (error) {
    if (stopping.signal.aborted) return // what was under way fails when it is stopped
    process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`)
    await stop()
    process.exit(1)
  }
}
