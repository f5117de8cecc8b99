type Log = { error(fields: object, message: string): void; info(fields: object, message: string): void }
type Fault = {
  /** What `/health/ready` answers. */
  shown: string
  /** What is logged once: it may have names of files, and how to repair it. */
  logged: string
}

/** What keeps this process from serving, although its database answers. Logs each fault once, and when it is over. */
export class Readiness {
  readonly #log: Log
  readonly #faults = new Map<string, Fault>()

  constructor(log: Log) {
    this.#log = log
  }

  /** Notes the fault that a check has found, or that it has found none. */
  note(check: string, fault?: Fault): void {
    const before = this.#faults.get(check)
    if (fault) this.#faults.set(check, fault)
    else this.#faults.delete(check)
    if (fault && fault.logged !== before?.logged) this.#log.error({}, `Not ready: ${fault.logged}`)
    if (before && !fault) this.#log.info({}, `Over: ${before.shown}`)
  }

  /** The faults in words; undefined if there is none. */
  get reason(): string | undefined {
    return [...this.#faults.values()].map(({ shown }) => shown).join('; ') || undefined
  }
}
