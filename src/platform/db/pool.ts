import { unavailable } from '../../problem.ts'
import { Connection, type Endpoint } from './connection.ts'

type Waiting = {
  line: string
  resolve: (connection: Connection) => void
  reject: (error: Error) => void
  timer: NodeJS.Timeout
}

/**
 * A bounded set of connections. A caller that waits longer than `wait` ms for one gets the problem `unavailable`. Callers
 * wait in lines, one for each account, and the lines take turns: a burst of one account does not hold up the others.
 */
export class Pool {
  readonly #endpoint: Endpoint
  readonly #size: number
  readonly #wait: number
  readonly #idle: Connection[] = []
  readonly #held = new Set<Connection>()
  /** By line; the line whose turn it is comes first. */
  readonly #lines = new Map<string, Waiting[]>()
  /** The first connection, whose types the later ones take over. */
  #first: Connection | undefined
  #opening = 0
  #closed = false

  constructor(endpoint: Endpoint, { size, wait }: { size: number; wait: number }) {
    this.#endpoint = endpoint
    this.#size = size
    this.#wait = wait
  }

  /** How many connections are idle and held, and how many callers wait for one. */
  get counts() {
    return { idle: this.#idle.length, held: this.#held.size, waiting: this.#waiting.length }
  }

  acquire(line: string): Promise<Connection> {
    const idle = this.#takeIdle()
    if (idle) return Promise.resolve(idle)
    return new Promise((resolve, reject) => {
      const waiting = { line, resolve, reject, timer: setTimeout(() => this.#giveUp(waiting), this.#wait) }
      const before = this.#lines.get(line)
      if (before) before.push(waiting)
      else this.#lines.set(line, [waiting])
      this.#open()
    })
  }

  release(connection: Connection) {
    this.#held.delete(connection)
    if (connection.dead) return this.#open()
    if (this.#closed) return void connection.close()
    this.#hand(connection)
  }

  /** Closes the idle connections at once and the others when they are released. */
  async close() {
    this.#closed = true
    for (const waiting of this.#waiting) this.#giveUp(waiting)
    await Promise.all(this.#idle.splice(0).map(connection => connection.close()))
  }

  #takeIdle() {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop())
      if (!connection.dead) return this.#hold(connection)
    return undefined
  }

  #hold(connection: Connection) {
    this.#held.add(connection)
    return connection
  }

  get #waiting() {
    return [...this.#lines.values()].flat()
  }

  /** Returns the caller whose turn it is, and puts the line behind the others. */
  #next(): Waiting | undefined {
    const [turn] = this.#lines
    if (!turn) return undefined
    const [line, waiting] = turn
    const next = waiting.shift()
    this.#lines.delete(line)
    if (waiting.length) this.#lines.set(line, waiting)
    return next
  }

  #hand(connection: Connection) {
    const waiting = this.#next()
    if (!waiting) return void this.#idle.push(connection)
    clearTimeout(waiting.timer)
    waiting.resolve(this.#hold(connection))
  }

  #giveUp(waiting: Waiting, cause?: unknown) {
    const line = this.#lines.get(waiting.line) ?? []
    const place = line.indexOf(waiting)
    if (place < 0) return
    line.splice(place, 1)
    if (!line.length) this.#lines.delete(waiting.line)
    clearTimeout(waiting.timer)
    waiting.reject(unavailable(cause))
  }

  /** Opens one connection if a caller waits and the pool is not full. */
  #open() {
    if (this.#closed || !this.#lines.size || this.#held.size + this.#idle.length + this.#opening >= this.#size) return
    this.#opening++
    Connection.open(this.#endpoint, this.#first)
      .then(
        connection => {
          this.#first ??= connection
          this.#hand(connection)
        },
        cause => {
          const [waiting] = this.#waiting
          if (waiting) this.#giveUp(waiting, cause)
        },
      )
      .finally(() => {
        this.#opening--
        if (this.#waiting.length > this.#opening) this.#open()
      })
  }
}
