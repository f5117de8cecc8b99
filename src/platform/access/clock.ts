/**
 * The clock of the database, as this process reads it: tokens and ids of entries follow it, so that processes whose own
 * clocks differ agree. Between two readings it goes on by the monotonic clock of the process, which no correction of the
 * time of day changes. Before the first reading it is the clock of the process.
 */
export class Clock {
  #ahead = performance.timeOrigin

  /** `instant`: what the database's clock showed (milliseconds) in the reply to a question sent `at` (`performance.now()`). */
  follow(instant: number, at: number): void {
    this.#ahead = instant - (at + performance.now()) / 2
  }

  /** Returns milliseconds since 1970. */
  now(): number {
    return this.#ahead + performance.now()
  }
}
