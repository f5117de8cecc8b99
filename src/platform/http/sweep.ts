import { traceOf } from './problems.ts'

/** Milliseconds between two looks. */
const every = 60_000

type Log = { error(fields: object, message: string): void }

/** Work that no request waits for: done when somebody calls for it, and from time to time for what others left behind. */
export class Sweep {
  readonly #work: () => Promise<unknown>
  readonly #log: Log
  readonly #failure: string
  #timer: NodeJS.Timeout | undefined
  #working: Promise<unknown> = Promise.resolve()

  /** `failure`: what the log says when it failed. */
  constructor(work: () => Promise<unknown>, log: Log, failure: string) {
    this.#work = work
    this.#log = log
    this.#failure = failure
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), every).unref()
    this.wake()
  }

  /** There may be something to do. */
  wake(): void {
    this.#working = this.#working
      .then(this.#work)
      .catch(error => this.#log.error({ trace: traceOf(error) }, this.#failure))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#working
  }
}
