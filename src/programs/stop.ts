import closeWithGrace from 'close-with-grace'
import { type Config, StartError } from '../config.ts'
import { type Service, startService } from './start.ts'

type Start = (config: Config) => Promise<Service>

/** Milliseconds; longer than all steps of a stop may take, so that nothing is killed before PostgreSQL has stopped. */
const delay = 60_000
/** Under npm, Ctrl-C sends SIGINT twice (from the terminal and from npm): the second one must not cut the stop short. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs a program that starts the service; a signal or an error at any moment stops whatever has been started. */
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
  const fail = async (error: unknown) => {
    if (stopping.signal.aborted) return // a stop makes the work in progress fail
    process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`)
    await stop()
    process.exit(1)
  }
  const start = (config: Config) => {
    service = startService(config, stopping.signal)
    service.then(({ lost }) => lost.catch(fail)).catch(() => {})
    return service
  }
  await program(start).catch(fail)
}
