import { traceOf } from './problems.ts'

/** Milliseconds between two runs. */
const every = 60_000

type Log = { error(fields: object, message: string): void }

/** Background work: runs when woken, and once a minute for work that was left unfinished. */
export class Sweep {
  readonly #work: () => Promise<unknown>
  readonly #log: Log
  readonly #failure: string
  #timer: NodeJS.Timeout | undefined
  #working: Promise<unknown> = Promise.resolve()

  /** `failure`: the log message when the work failed. */
  constructor(work: () => Promise<unknown>, log: Log, failure: string) {
    this.#work = work
    this.#log = log
    this.#failure = failure
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), every).unref()
    this.wake()
  }

  /** Runs the work after the current run, because there may be something to do. */
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
