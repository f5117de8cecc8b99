import { setTimeout as wait } from 'node:timers/promises'
import { StartError } from '../../config.ts'

type Server = {
  /** Whether its process lives. */
  runs(): boolean
  /** Starts it again; rejects if it does not start. */
  restart(): Promise<void>
}
type Log = { warn(message: string): void; error(message: string): void }

/** Milliseconds between two looks at the process. */
const every = 1_000
/** Milliseconds before the first start, the second one and so on, within one period. There are no more than these. */
const pauses = [0, 1_000, 2_000, 4_000, 8_000]
const period = 600_000

/**
 * Starts a server again whenever it has ended, a few times in each period. `lost` rejects with a {@link StartError} when it
 * has ended once more. `close` stops watching; it waits for a start in progress, so that the server can be stopped after it.
 */
export function keepRunning(server: Server, log: Log): { lost: Promise<never>; close: () => Promise<void> } {
  const closing = new AbortController()
  const pause = (milliseconds: number) => wait(milliseconds, undefined, { signal: closing.signal, ref: false })
  const watch = async (): Promise<never> => {
    let starts: number[] = []
    for (;;) {
      await pause(every)
      if (server.runs()) continue
      starts = starts.filter(at => at > performance.now() - period)
      const before = pauses[starts.length]
      if (before === undefined)
        throw new StartError(
          `The embedded PostgreSQL ended again after ${pauses.length} starts: see postgres.log in DATA_DIR`,
        )
      log.error(`PostgreSQL has ended: start ${starts.length + 1} of at most ${pauses.length} follows in ${before} ms`)
      await pause(before)
      starts.push(performance.now())
      await server.restart().then(
        () => log.warn('PostgreSQL runs again'),
        () => log.error('PostgreSQL did not start'),
      )
    }
  }
  const watching = watch()
  const lost = watching.catch(error => {
    if (!closing.signal.aborted) throw error
    return new Promise<never>(() => {})
  })
  lost.catch(() => {})
  const close = async () => {
    closing.abort()
    await watching.catch(() => {})
  }
  return { lost, close }
}
